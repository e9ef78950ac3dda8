"""Line charts as Vega-Lite specifications that contain their data; `drawings.draw` puts them into a page.

A specification is plain Vega-Lite and works in any of its tools. In addition, `usermeta.vizkit` tells the page's script
which fields a reader steps through, and their titles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from . import drawings
from .chart_model import Axis, Band, Chart, Guide, Mark, Rates, Series
from .shape import MAX_POINTS, smooth, thin

__all__ = ["Axis", "Band", "Chart", "Guide", "Mark", "Rates", "Series", "draw", "moment", "specification"]

# Values outside this range get an axis with short labels: 2G, 1.5e-7.
_LARGE, _SMALL = 1e6, 1e-3
_YEARS: Final = (1000, 3000)
_WIDTH: Final = 560

Spec = dict[str, Any]


def draw(*charts: Chart, smoothing: float | None = None, has_log: bool = False) -> str:
    """Returns the markup of all charts.

    Args:
        charts: to draw.
        smoothing: the initial smoothing of the curves, 0 to 0.99, with a slider; None for no smoothing.
        has_log: adds a switch for a logarithmic y axis, if the values allow it.
    """
    return drawings.draw([specification(each, smoothing=smoothing, has_log=has_log) for each in charts])


def specification(chart: Chart, *, smoothing: float | None = None, has_log: bool = False) -> Spec:
    """Returns the Vega-Lite specification of a chart, with its points in `data.values`.

    Each point has `series`, `x`, `y`, its note under the note's title in lower case, and `smoothed` if curves are
    smoothed.
    """
    series = [_clean(each) for each in _told_apart(chart.series)]
    rows = [row for each in series for row in _rows(each, chart, smoothing)]
    x = _axis(chart.x, "x", [row["x"] for row in rows if not isinstance(row["x"], str)])
    y = _axis(chart.y, "y", [row["y"] for row in rows])
    layers = [*_bands(chart), *_guides(chart, rows), *_curves(series, y, smoothing), *_marks(chart, rows)]
    return {
        "$schema": drawings.SCHEMA,
        "description": _description(chart, series),
        "title": {"text": chart.title, "subtitle": [band.name for band in chart.bands if band.name]},
        "width": _WIDTH,
        "height": _WIDTH - 120 if chart.is_square else 120 if chart.is_low else 300,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "params": _params(chart, smoothing),
        "data": {"name": "points", "values": rows},
        "encoding": {"x": x, "y": y},
        "layer": layers,
        "usermeta": {
            "vizkit": {
                "near": chart.near,
                "is_square": chart.is_square,
                "has_zoom": True,
                "can_log": has_log and any(row["y"] > 0 for row in rows),
                "threshold": _threshold(chart),
                "fields": _fields(chart, series),
            }
        },
    }


def _params(chart: Chart, smoothing: float | None) -> list[Spec]:
    params: list[Spec] = [{"name": "smoothing", "value": smoothing}] if smoothing is not None else []
    if chart.rates is not None and chart.marks:
        params += [
            {"name": "chosen_x", "value": _round(chart.marks[0].x)},
            {"name": "chosen_y", "value": _round(chart.marks[0].y)},
        ]
    return params


def _threshold(chart: Chart) -> Spec | None:
    if chart.rates is None or not chart.marks:
        return None
    kind = "precision-recall" if chart.x.title == "Recall" else "roc"
    return {"kind": kind, "trues": _round(chart.rates.trues), "falses": _round(chart.rates.falses)}


def _fields(chart: Chart, series: Sequence[Series]) -> list[Spec]:
    note = next((each.note for each in series if each.note), "")
    return [
        *([_field("series", "Curve")] if len(series) > 1 else []),
        _field("x", chart.x.title or "x", chart.x.kind),
        _field("y", chart.y.title or "y", chart.y.kind),
        *([_field(note.lower(), note, "threshold")] if note else []),
    ]


def _field(name: str, title: str, kind: str = "number") -> Spec:
    return {"field": name, "title": title, "kind": kind}


def _told_apart(series: Sequence[Series]) -> Iterator[tuple[int, Series, str]]:
    """Yields each curve with its position and a unique name, because the name identifies the rows of a curve."""
    seen: set[str] = set()
    for place, each in enumerate(series):
        name, number = each.name, 1
        while name in seen:
            number += 1
            name = f"{each.name} ({number})"
        seen.add(name)
        yield place, each, name


def _clean(found: tuple[int, Series, str]) -> Series:
    """Returns the curve without points that are not finite, thinned to MAX_POINTS, and with its colour."""
    place, series, name = found
    points = list(zip(series.x, series.y, series.notes or [0.0] * len(series.x), strict=True))
    points = [each for each in points if math.isfinite(each[0]) and math.isfinite(each[1])]
    if len(points) > MAX_POINTS:
        import numpy as np

        kept = thin(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
        points = [points[n] for n in kept]
    return Series(
        name=name,
        legend=series.legend,
        x=[p[0] for p in points],
        y=[p[1] for p in points],
        note=series.note if series.notes is not None else "",
        notes=[p[2] for p in points] if series.notes is not None else None,
        colour=series.colour or place % len(drawings.PALETTE) + 1,
        # Colours repeat after eight curves; then the line is dashed.
        is_dashed=series.is_dashed or (not series.colour and place // len(drawings.PALETTE) % 2 == 1),
        is_filled=series.is_filled,
        is_shown=series.is_shown,
        has_dots=series.has_dots or len(points) == 1,
        steps=series.steps,
    )


def _rows(series: Series, chart: Chart, smoothing: float | None) -> Iterator[Spec]:
    smoothed = smooth(series.y, smoothing) if smoothing is not None else []
    for place, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
        row: Spec = {"series": series.name, "x": moment(x) if chart.x.kind == "date" else _round(x), "y": _round(y)}
        if smoothing is not None:
            row["smoothed"] = _round(smoothed[place])
        if series.notes is not None:
            # JSON has no infinity; null means "above all".
            note = series.notes[place]
            row[series.note.lower()] = _round(note) if math.isfinite(note) else None
        yield row


def moment(seconds: float) -> str:
    """Returns seconds since 1970 as ISO 8601 in UTC, limited to the years 1 to 9999."""
    within = min(max(seconds, -6.2135e10), 2.534e11)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=within)).isoformat().replace("+00:00", "Z")


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def _axis(axis: Axis, name: str, values: Sequence[float]) -> Spec:
    ends = {"domainMin": axis.low, "domainMax": axis.high}
    made: Spec = {"field": name, "title": axis.title or None, "type": "quantitative"}
    if axis.kind == "date":
        return made | {"type": "temporal", "scale": {"type": "utc"}}
    made["scale"] = {end: value for end, value in ends.items() if value is not None} | {"zero": False}
    # A tick has as many digits as distinguish it from its neighbour: Vega computes that for each of these formats.
    largest = max((abs(value) for value in values), default=0.0)
    is_whole = all(float(value).is_integer() for value in values)
    if axis.kind == "percent":
        made["axis"] = {"format": "%"}
    elif largest >= _LARGE:
        made["axis"] = {"format": "s"}
    elif 0 < largest < _SMALL:
        made["axis"] = {"format": "e"}
    elif values and is_whole and _YEARS[0] <= min(values) and largest < _YEARS[1]:
        made["axis"] = {"format": "d", "tickMinStep": 1}
    elif values and is_whole and name == "x":
        made["axis"] = {"tickMinStep": 1}
    return made


def _colours(series: Sequence[Series]) -> Spec:
    names = [each.name for each in series]
    said = {each.name: f"{each.name} ({each.legend})" for each in series if each.legend}
    look = {"title": None, "symbolType": "stroke", "symbolOpacity": 1, "symbolSize": 250, "symbolStrokeWidth": 3}
    legend: Spec | None = look if len(series) > 1 else None
    if legend is not None and said:
        legend["labelExpr"] = f"{drawings.literal(said)}[datum.label] || datum.label"
    shared = {"field": "series", "type": "nominal", "sort": None, "legend": legend}
    colours = [drawings.PALETTE[(each.colour - 1) % len(drawings.PALETTE)] for each in series]
    made = {"color": {**shared, "scale": {"domain": names, "range": colours}}}
    if any(each.is_dashed for each in series):
        dashes = [[6, 4] if each.is_dashed else [1, 0] for each in series]
        made["strokeDash"] = {**shared, "scale": {"domain": names, "range": dashes}}
    return made


def _curves(series: Sequence[Series], y: Spec, smoothing: float | None) -> Iterator[Spec]:
    steps = next((each.steps for each in series if each.steps), "")
    shape = {"interpolate": f"step-{steps}"} if steps else {}
    colours = _colours(series)
    if any(each.is_filled for each in series):
        area = {"type": "area", "opacity": 0.13, "clip": True, "line": False, **shape}
        yield {"mark": area, "encoding": {"color": colours["color"], "y": {**y, "stack": None}}}
    if smoothing is not None:
        raw = {"type": "line", "strokeWidth": 1.2, "clip": True, "opacity": {"expr": "smoothing > 0 ? 0.35 : 0"}}
        yield {"mark": raw, "encoding": {"color": colours["color"]}}
    strong = {"condition": {"param": "curve", "value": 1}, "value": 0.12}
    drawn = {"y": {**y, "field": "smoothed"}} if smoothing is not None else {}
    first = [{"series": each.name} for each in series if each.is_shown]
    choose: Spec = {"name": "curve", "select": {"type": "point", "fields": ["series"]}, "bind": "legend"}
    if len(first) < len(series):
        choose["value"] = first
    # The wheel without a key scrolls the page.
    zoom = {"type": "interval", "zoom": "wheel![event.shiftKey || event.ctrlKey]"}
    yield {
        "mark": {"type": "line", "strokeWidth": 2, "clip": True, "strokeJoin": "round", **shape},
        "params": [choose, {"name": "zoom", "select": zoom, "bind": "scales"}],
        "encoding": {**colours, "opacity": strong, **drawn},
    }
    dots = [each.name for each in series if each.has_dots]
    if dots:
        yield {
            "transform": [{"filter": {"field": "series", "oneOf": dots}}],
            "mark": {"type": "point", "filled": True, "size": 45, "clip": True},
            "encoding": {"color": colours["color"], "opacity": strong, **drawn},
        }


def _bands(chart: Chart) -> Iterator[Spec]:
    for band in chart.bands:
        edges = zip(band.x, band.low, band.high, strict=True)
        yield {
            "data": {"values": [{"x": _round(x), "low": _round(low), "high": _round(high)} for x, low, high in edges]},
            "mark": {"type": "area", "opacity": 0.18, "color": drawings.PALETTE[band.colour - 1], "clip": True},
            "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}},
        }


def _guides(chart: Chart, rows: Sequence[Spec]) -> Iterator[Spec]:
    for guide in chart.guides:
        points = [{"x": _round(x), "y": _round(y)} for x, y in zip(guide.x, guide.y, strict=True)]
        line = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": drawings.MUTED, "clip": True}
        yield {"data": {"values": points}, "mark": line, "encoding": {}}
    ends = [{"x": _round(g.x[-1]), "y": _round(g.y[-1]), "text": g.text} for g in chart.guides if g.text]
    yield from _words(ends, _middle(chart, rows), color=drawings.MUTED)


def _marks(chart: Chart, rows: Sequence[Spec]) -> Iterator[Spec]:
    if not chart.marks:
        return
    found = [
        {"x": moment(m.x) if chart.x.kind == "date" else _round(m.x), "y": _round(m.y), "text": m.text}
        for m in chart.marks
    ]
    if chart.rates is not None:
        # The point of the chosen threshold, which the page's script moves.
        ring = {"type": "point", "filled": False, "size": 160, "strokeWidth": 2.5, "opacity": 1, "color": drawings.TEXT}
        place = {name: {"datum": {"expr": f"chosen_{name}"}, "type": "quantitative"} for name in ("x", "y")}
        yield {"data": {"values": [{}]}, "mark": ring, "encoding": place}
    dot = {
        "type": "point",
        "filled": True,
        "size": 90,
        "opacity": 1,
        "color": drawings.PALETTE[chart.marks[0].colour - 1],
    }
    yield {"data": {"name": "marks", "values": found}, "mark": dot, "encoding": {}}
    yield from _words(found, _middle(chart, rows))


def _middle(chart: Chart, rows: Sequence[Spec]) -> tuple[Any, float]:
    """Returns the middle of the visible range, so that labels extend towards it, where there is room."""
    ys = [row["y"] for row in rows] or [0.0, 1.0]
    low = min(ys) if chart.y.low is None else chart.y.low
    high = max(ys) if chart.y.high is None else chart.y.high
    if chart.x.low is not None and chart.x.high is not None:
        return (chart.x.low + chart.x.high) / 2, (low + high) / 2
    xs = sorted(row["x"] for row in rows) or [0.0]
    return (xs[len(xs) // 2] if chart.x.kind == "date" else (xs[0] + xs[-1]) / 2), (low + high) / 2


def _words(points: Sequence[Spec], middle: tuple[Any, float], **look: Any) -> Iterator[Spec]:
    for is_right in (True, False):
        for is_high in (True, False):
            kept = [each for each in points if (each["x"] > middle[0], each["y"] > middle[1]) == (is_right, is_high)]
            side = {"align": "right", "dx": -8} if is_right else {"align": "left", "dx": 10}
            mark = {"type": "text", **side, "dy": 14 if is_high else -10, **look}
            if kept:
                yield {"data": {"values": kept}, "mark": mark, "encoding": {"text": {"field": "text"}}}


def _description(chart: Chart, series: Sequence[Series]) -> str:
    names = ", ".join(each.name for each in series[:12])
    said = f"{len(series)} curves: {names}." if len(series) > 1 else names
    return f"{chart.title}: {chart.y.title} over {chart.x.title}. {said}"
