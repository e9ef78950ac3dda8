"""The markup of one chart: its legend, frame, curves, words and table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from . import html
from .axes import Scale
from .chart_model import Chart, Series
from .shape import smooth

_VIEW: Final = 1000.0
_TABLE_ROWS: Final = 60
# Longer labels than this stand too close on a telephone, where every second one is then left out.
_SHORT_LABELS: Final = 26


def points(x: Scale, y: Scale, xs: Sequence[float], ys: Sequence[float], *, steps: str = "") -> list[str]:
    """Returns SVG coordinates; points without a place are left out."""
    found: list[str] = []
    last = ("", "")
    for value, other in zip(xs, ys, strict=True):
        across, up = x.place(value), y.place(other)
        if across is None or up is None:
            continue
        at = (f"{across * _VIEW:.1f}", f"{(1 - up) * _VIEW:.1f}")
        if steps and found:
            found.append(f"{at[0]},{last[1]}" if steps == "after" else f"{last[0]},{at[1]}")
        found.append(",".join(at))
        last = at
    return found


def _curve(series: Series, place: int, x: Scale, y: Scale, smoothing: float) -> str:
    drawn = points(x, y, series.x, smooth(series.y, smoothing), steps=series.steps)
    raw = points(x, y, series.x, series.y, steps=series.steps) if smoothing > 0 else []
    parts = []
    if series.is_filled and drawn:
        first, last = drawn[0].split(",")[0], drawn[-1].split(",")[0]
        parts.append(f'<polygon class="vk-fill" points="{first},1000 {" ".join(drawn)} {last},1000"/>')
    # Always there, so that the slider has a line to draw the values as they are.
    parts.append(f'<polyline class="vk-raw" points="{" ".join(raw)}"/>')
    parts.append(f'<polyline class="vk-line" points="{" ".join(drawn)}"/>')
    if series.has_dots:
        dots = "".join(f"M{each.replace(',', ' ')}h0" for each in drawn)
        parts.append(f'<path class="vk-dots" d="{dots}"/>')
    classes = f"vk-series{' vk-dashed' if series.is_dashed else ''}"
    return f'<g class="{classes}" data-colour="{series.colour}" data-series="{place}">{"".join(parts)}</g>'


def figure(chart: Chart, series: Sequence[Series], x: Scale, y: Scale, log: Scale | None, smoothing: float) -> str:
    """Returns the markup of a chart whose curves are clean; `log` is the other scale of y that the script may show."""
    shapes = [
        f'<polygon class="vk-band" data-colour="{band.colour}" points="'
        f'{" ".join(points(x, y, [*band.x, *reversed(band.x)], [*band.high, *reversed(band.low)]))}"/>'
        for band in chart.bands
    ]
    shapes += [f'<polyline class="vk-guide" points="{" ".join(points(x, y, g.x, g.y))}"/>' for g in chart.guides]
    shapes += [_curve(each, place, x, y, smoothing) for place, each in enumerate(series)]
    widest = max((text for each in (y, log) if each for _, text in each.ticks), key=len, default="")
    kind = " vk-square" if chart.is_square else " vk-low" if chart.is_low else ""
    named = f"{chart.title}: {y.title} over {x.title}. {_summary(series)}"
    return (
        f'<figure class="vk-figure{kind}"><figcaption>{html.text(chart.title)}</figcaption>{_legend(chart, series)}'
        f'<div class="vk-frame"><div class="vk-ytitle" aria-hidden="true">{html.text(y.title)}</div>'
        f'<div class="vk-yticks" aria-hidden="true"><i>{html.text(widest)}</i>{_ticks(y, "bottom")}</div>'
        f'<div class="vk-plot" role="img" aria-label="{html.text(named)}">'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">{_grid(x, y)}'
        f"{''.join(shapes)}</svg>"
        f"{_words(chart, x, y)}</div>"
        f'<div class="vk-xticks{_crowded(x)}" aria-hidden="true">{_ticks(x, "left")}</div>'
        f'<div class="vk-xtitle" aria-hidden="true">{html.text(x.title)}</div></div>'
        f"{_table(chart, series, x, y)}</figure>"
    )


def _summary(series: Sequence[Series]) -> str:
    shown = ", ".join(each.name for each in series[:12])
    return f"{len(series)} curves: {shown}." if len(series) > 1 else shown


def _legend(chart: Chart, series: Sequence[Series]) -> str:
    if len(series) + len(chart.bands) < 2:
        return ""
    items = [
        f'<li data-colour="{each.colour}" data-series="{place}">'
        f'<i class="vk-key{" vk-dashed" if each.is_dashed else ""}"></i>'
        f"<span>{html.text(each.name)}</span></li>"
        for place, each in enumerate(series)
    ]
    items += [
        f'<li data-colour="{b.colour}"><i class="vk-key vk-area"></i><span>{html.text(b.name)}</span></li>'
        for b in chart.bands
        if b.name
    ]
    return f'<ul class="vk-legend">{"".join(items)}</ul>'


def _grid(x: Scale, y: Scale) -> str:
    across = [at * _VIEW for value, _ in x.ticks if (at := x.place(value)) is not None]
    up = [(1 - at) * _VIEW for value, _ in y.ticks if (at := y.place(value)) is not None]
    return (
        f'<path class="vk-grid vk-gridx" d="{"".join(f"M{at:.1f} 0V1000" for at in across)}"/>'
        f'<path class="vk-grid vk-gridy" d="{"".join(f"M0 {at:.1f}H1000" for at in up)}"/>'
    )


def _ticks(axis: Scale, side: str) -> str:
    placed = ((axis.place(value), text) for value, text in axis.ticks)
    return "".join(f'<span style="{side}:{at:.2%}">{html.text(text)}</span>' for at, text in placed if at is not None)


def _crowded(x: Scale) -> str:
    return " vk-crowded" if sum(len(text) for _, text in x.ticks) > _SHORT_LABELS else ""


def _words(chart: Chart, x: Scale, y: Scale) -> str:
    marks = [
        _word("vk-mark", f'data-place="{n}" data-colour="{mark.colour}" data-series="{mark.series}"', mark.text, at)
        for n, mark in enumerate(chart.marks)
        if (at := (x.place(mark.x), y.place(mark.y)))
    ]
    words = [
        _word("vk-word", f'data-place="{n}"', guide.text, (x.place(guide.x[-1]), y.place(guide.y[-1])))
        for n, guide in enumerate(chart.guides)
        if guide.text
    ]
    return "".join(marks + words)


def _word(kind: str, data: str, text: str, at: tuple[float | None, float | None]) -> str:
    across, up = at
    if across is None or up is None:
        return ""
    # Towards the middle, where there is room for words.
    sides = f"{' vk-left' if across > 0.5 else ''}{' vk-below' if up > 0.5 else ''}"
    style = f"left:{across:.2%};bottom:{up:.2%}"
    return f'<span class="{kind}{sides}" {data} style="{style}"><b>{html.text(text)}</b></span>'


def _table(chart: Chart, series: Sequence[Series], x: Scale, y: Scale) -> str:
    """Returns the values as a table, at most 60 rows: one by x where all curves share theirs."""
    shared = all(each.x == series[0].x for each in series[1:]) if series else True
    if shared and series:
        noted = [each for each in series if each.notes is not None]
        head = [x.title, *(each.name for each in series), *(each.note for each in noted)]
        columns = [series[0].x, *(each.y for each in series), *(each.notes or () for each in noted)]
        rows: list[Sequence[Any]] = list(zip(*columns, strict=True))
    else:
        head = ["Curve", x.title, y.title]
        rows = [(each.name, *point) for each in series for point in zip(each.x, each.y, strict=True)]
    step = max(1, math.ceil(len(rows) / _TABLE_ROWS))
    kept = rows[::step]
    caption = f"{chart.title}: {f'{len(kept)} of {len(rows)}' if step > 1 else len(rows)} points"
    table = html.table(head, [[_cell(value) for value in row] for row in kept], caption=caption)
    return f'<details class="vk-data"><summary>Values as a table</summary>{table}</details>'


def _cell(value: Any) -> Any:
    return "∞" if isinstance(value, float) and math.isinf(value) else value
