"""Line charts: SVG that says all without scripts, and what `chart.js` needs to make it alive.

The curves are stretched over the plot (`preserveAspectRatio="none"`, strokes that do not scale) and all words are HTML
beside them, so a chart is as readable at 390 pixels as at 1440, with or without scripts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from . import html
from .axes import Axis, scale
from .chart_markup import figure
from .chart_model import Band, Chart, Guide, Mark, Series
from .shape import MAX_POINTS, thin

__all__ = ["COLOURS", "Band", "Chart", "Guide", "Mark", "Series", "draw"]

COLOURS: Final = 8


def draw(*charts: Chart, smoothing: float | None = None, has_log: bool = False, label: str = "") -> str:
    """Returns one component with all charts.

    Args:
        smoothing: how much the curves are smoothed at first, 0 to 0.99, with a slider for it; None: never.
        has_log: with a switch for a logarithmic y, where values allow it.
    """
    drawn = [_draw(chart, smoothing or 0.0, has_log=has_log) for chart in charts]
    payload = {"charts": [data for _, data in drawn], "smoothing": smoothing, "hasLog": has_log}
    inner = f'<div class="vk-charts">{"".join(markup for markup, _ in drawn)}</div>'
    return html.component("chart", payload, inner=inner, label=label)


def _draw(chart: Chart, smoothing: float, *, has_log: bool) -> tuple[str, dict[str, Any]]:
    series = [_clean(each, place) for place, each in enumerate(chart.series)]
    xs = [v for each in series for v in each.x] + [v for each in chart.bands for v in each.x]
    ys = [v for each in series for v in each.y] + [v for each in chart.bands for v in (*each.low, *each.high)]
    x, y = scale(chart.x, xs), scale(chart.y, ys)
    is_log_possible = has_log and any(value > 0 for value in ys)
    log = scale(Axis(title=chart.y.title, kind=chart.y.kind, is_log=True), ys) if is_log_possible else None
    payload = {
        "title": chart.title,
        "near": chart.near,
        "x": x.payload(),
        "y": y.payload(),
        "log": log and log.payload(),
        "series": [_series_payload(each) for each in series],
        "bands": [_numbers(each, ("x", "low", "high")) for each in chart.bands],
        "guides": [_numbers(each, ("x", "y")) for each in chart.guides],
        "marks": [[each.x, each.y] for each in chart.marks],
    }
    return figure(chart, series, x, y, log, smoothing), payload


def _clean(series: Series, place: int) -> Series:
    """Returns the curve without the points that have no place, at most MAX_POINTS, and with its colour."""
    points = list(zip(series.x, series.y, series.notes or [0.0] * len(series.x), strict=True))
    points = [each for each in points if math.isfinite(each[0]) and math.isfinite(each[1])]
    if len(points) > MAX_POINTS:
        import numpy as np

        kept = thin(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
        points = [points[n] for n in kept]
    return Series(
        name=series.name,
        x=[float(p[0]) for p in points],
        y=[float(p[1]) for p in points],
        note=series.note,
        notes=[float(p[2]) for p in points] if series.notes is not None else None,
        colour=series.colour or place % COLOURS + 1,
        # Colours come again after eight: then the line is another one.
        is_dashed=series.is_dashed or (not series.colour and place // COLOURS % 2 == 1),
        is_filled=series.is_filled,
        is_shown=series.is_shown,
        has_dots=series.has_dots or len(points) == 1,
        steps=series.steps,
    )


def _series_payload(series: Series) -> dict[str, Any]:
    found = {"name": series.name, **_numbers(series, ("x", "y")), "colour": series.colour, "shown": series.is_shown}
    if series.notes is not None:
        # JSON has no infinity; null is "above all".
        found |= {"note": series.note, "notes": [_round(value) for value in series.notes]}
    return found | ({"steps": series.steps} if series.steps else {})


def _numbers(item: Any, names: Iterable[str]) -> dict[str, list[float]]:
    return {name: [_round(value) for value in getattr(item, name)] for name in names}


def _round(value: float) -> float:
    return float(f"{value:.7g}")
