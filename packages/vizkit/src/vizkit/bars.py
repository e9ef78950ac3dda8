"""Horizontal bars with names of any length: a table whose cells are drawn, so it reads the same without the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from . import html
from .axes import Axis, Scale, scale

MAX_BARS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Attributes:
        reach: half the length of its whisker, such as a standard deviation; None for none.
    """

    name: str
    value: float
    reach: float | None = None


def draw(
    bars: Sequence[Bar], *, title: str, name_title: str, value_title: str, reach_title: str = "", first: int = 20
) -> str:
    """Returns the bars in the order given: the first, and the rest behind "Show all"; the script sorts and filters.

    Args:
        reach_title: what whiskers are, such as "standard deviation".
        first: how many are shown at once.
    """
    drawn = [each for each in bars if math.isfinite(each.value)][:MAX_BARS]
    ends = [v for each in drawn for v in (each.value - (each.reach or 0), each.value + (each.reach or 0))]
    x = scale(Axis(), [0.0, *ends], count=4)
    value_head = f"{html.text(value_title)}{f' <small>± {html.text(reach_title)}</small>' if reach_title else ''}"
    head = (
        f'<thead><tr><th scope="col">{html.text(name_title)}</th><th scope="col" class="vk-track">{_axis(x)}</th>'
        f'<th scope="col">{value_head}</th></tr></thead>'
    )
    rows = [_row(each, x) for each in drawn]
    parts = [f'<table class="vk-bartable"><caption>{html.text(title)}</caption>{head}']
    parts.append(f"<tbody>{''.join(rows[:first])}</tbody></table>")
    if len(rows) > first:
        parts.append(
            f'<details class="vk-rest"><summary>Show all {len(rows):,}</summary><table class="vk-bartable">'
            f'<caption class="vk-hidden">{html.text(title)}, the rest</caption>{head}'
            f"<tbody>{''.join(rows[first:])}</tbody></table></details>"
        )
    if len(bars) > len(drawn):
        parts.append(f'<p class="vk-muted">{len(drawn):,} of {len(bars):,} are here.</p>')
    return html.component("bars", {"first": first}, inner="".join(parts), label=title)


def _axis(x: Scale) -> str:
    ticks = "".join(
        f'<i style="left:{at:.2%}">{html.text(text)}</i>'
        for value, text in x.ticks
        if (at := x.place(value)) is not None
    )
    return f'<span class="vk-bar-axis" aria-hidden="true">{ticks}</span><span class="vk-hidden">Bar</span>'


def _row(bar: Bar, x: Scale) -> str:
    zero, end = x.place(0.0) or 0.0, x.place(bar.value) or 0.0
    kind = "vk-bar vk-less" if bar.value < 0 else "vk-bar"
    drawn = f'<i class="{kind}" style="left:{min(zero, end):.2%};width:{abs(end - zero):.2%}"></i>'
    if bar.reach:
        low, high = x.place(bar.value - bar.reach) or 0.0, x.place(bar.value + bar.reach) or 0.0
        drawn += f'<i class="vk-whisker" style="left:{low:.2%};width:{high - low:.2%}"></i>'
    shown = html.number(bar.value) + (f" <small>± {html.number(bar.reach, 2)}</small>" if bar.reach is not None else "")
    return (
        f'<tr data-value="{bar.value!r}"><th scope="row">{html.text(bar.name)}</th>'
        f'<td class="vk-track" aria-hidden="true"><span style="--zero:{zero:.2%}">{drawn}</span></td>'
        f"<td>{shown}</td></tr>"
    )
