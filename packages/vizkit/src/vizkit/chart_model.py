"""What a chart is made of: curves, bands, guides, marks and two axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .axes import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve.

    Attributes:
        notes: one more value a point, such as its threshold, called `note`; infinite ones stay.
        colour: 1 to 8; 0: by its place.
        is_shown: at first, where there are scripts; the legend switches it.
        steps: "after": a value holds until the next point; "before": it did since the last one.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    note: str = ""
    notes: Sequence[float] | None = None
    colour: int = 0
    is_dashed: bool = False
    is_filled: bool = False
    is_shown: bool = True
    has_dots: bool = False
    steps: Literal["", "after", "before"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A shaded area between two curves over the same x."""

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A thin dashed line to compare with; its words stand at its last point."""

    x: Sequence[float]
    y: Sequence[float]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point that is pointed out; it comes and goes with its curve."""

    x: float
    y: float
    text: str
    colour: int = 1
    series: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart.

    Attributes:
        near: what the pointer chooses: the nearest x, or the nearest point of any curve.
        is_square: as high as wide, for two shares of one.
    """

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    bands: Sequence[Band] = field(default=())
    guides: Sequence[Guide] = field(default=())
    marks: Sequence[Mark] = field(default=())
    near: Literal["x", "point"] = "x"
    is_square: bool = False
    is_low: bool = False
