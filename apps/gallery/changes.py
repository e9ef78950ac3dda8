"""Compares key figures: what changed, and whether for better or worse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from apps.visualizations.models import Render, RenderFigure
from apps.visualizations.states import RenderState

Effect = Literal["better", "worse", "same", "changed"]
_WIDTH: Final = 160.0
_HEIGHT: Final = 32.0
_EDGE: Final = 3.0
# Two ways to compute a figure may differ in its last digits, without meaning.
_NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A key figure compared with the same figure of another render.

    Attributes:
        delta: value minus the other value; None if either is missing, or if their units differ.
        effect: "changed" if neither direction is better, or if there is nothing to compare with.
    """

    name: str
    value: float | None
    unit: str
    better: str
    delta: float | None
    effect: Effect

    @property
    def text(self) -> str:
        """The signed difference, such as "+0.012"; "" if there is none."""
        if self.delta is None:
            return ""
        return "±0" if self.delta == 0 else f"{self.delta:+,.4g}"

    @property
    def effect_word(self) -> str:
        """The effect if it is better or worse; "" otherwise."""
        return self.effect if self.effect in {"better", "worse"} else ""


def figures_of(render: Render | None) -> dict[str, RenderFigure]:
    """Returns a render's key figures by name; none if the render did not succeed."""
    if render is None or render.state != RenderState.SUCCEEDED:
        return {}
    return {each.name: each for each in render.figures.all()}


def changes(
    figures: Mapping[str, RenderFigure], others: Mapping[str, RenderFigure], names: Iterable[str]
) -> list[Change]:
    """Returns the named figures compared with the others, in the order of the names."""
    return [_change(name, figures.get(name), others.get(name)) for name in names]


def _change(name: str, own: RenderFigure | None, other: RenderFigure | None) -> Change:
    known = own or other
    unit, better = (known.unit, known.better) if known else ("", "none")
    delta: float | None = None
    if own and other and own.unit == other.unit and math.isfinite(own.value - other.value):
        delta = own.value - other.value
        if abs(delta) <= _NOISE * max(abs(own.value), abs(other.value)):
            delta = 0.0
    return Change(
        name=name,
        value=own.value if own else None,
        unit=unit,
        better=better,
        delta=delta,
        effect=_effect(delta, better),
    )


def _effect(delta: float | None, better: str) -> Effect:
    if delta is None:
        return "changed"
    if delta == 0:
        return "same"
    if better not in {"higher", "lower"}:
        return "changed"
    return "better" if (delta > 0) == (better == "higher") else "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A figure over runs, oldest on the left, in a box of 160 by 32 units.

    Attributes:
        lines: points of SVG polylines; a run without the figure interrupts the line.
        dots: (x, y, index of the run) of each value.
    """

    name: str
    unit: str
    lines: tuple[str, ...]
    dots: tuple[tuple[float, float, int], ...]
    lowest: float
    highest: float
    latest: float


def sparkline(name: str, unit: str, values: Sequence[float | None]) -> Sparkline | None:
    """Returns a figure's line over runs; None marks a gap. Returns None if there is no value at all."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    lowest, highest = min(known), max(known)
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)
    lines: list[list[str]] = [[]]
    dots = []
    for index, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        x, y = round(_EDGE + index * step, 2), _height(value, lowest, highest)
        lines[-1].append(f"{x},{y}")
        dots.append((x, y, index))
    return Sparkline(
        name=name,
        unit=unit,
        lines=tuple(" ".join(line) for line in lines if len(line) > 1),
        dots=tuple(dots),
        lowest=lowest,
        highest=highest,
        latest=known[-1],
    )


def _height(value: float, lowest: float, highest: float) -> float:
    # Halve first: the span of two finite numbers may be infinite.
    span = highest / 2 - lowest / 2
    share = (value / 2 - lowest / 2) / span if span else 0.5
    return round(_HEIGHT - _EDGE - share * (_HEIGHT - 2 * _EDGE), 2)
