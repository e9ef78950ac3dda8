"""The charts of a feature's values: Vega-Lite specifications without data, and the first picture of a page.

The page's script fills a specification with the data of one feature when its card becomes visible, so a page with a
thousand features contains each specification once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final

from .. import drawings, html
from .model import Bucket, Dataset, Feature

_MOST_IN_PICTURE: Final = 9
_MOST_VALUES: Final = 8
Row = tuple[str, Sequence[Feature | None]]


def specifications(datasets: Sequence[Dataset]) -> dict[str, drawings.Spec]:
    """Returns the specifications by name.

    `standard`: a histogram. `quantiles`: a lane of tenths for each data set. `values`: bars of the most frequent
    values.
    """
    numbers = range(len(datasets))
    colour = {
        "field": "set",
        "type": "ordinal",
        "scale": {"domain": list(numbers), "range": list(drawings.PALETTE[: len(datasets)])},
        "legend": None,
    }
    return {
        "standard": _standard(colour, several=len(datasets) > 1),
        "quantiles": _quantiles(colour, len(datasets)),
        "values": _values(colour, several=len(datasets) > 1),
    }


def _spec(
    encoding: dict[str, Any], *, height: Any, meta: dict[str, Any], fields: Sequence[tuple[str, str, str]], **more: Any
) -> Any:
    """Returns a specification without rows; `fields` are (field, title, kind) of the values shown for a mark."""
    named = [{"field": field, "title": title, "kind": kind} for field, title, kind in fields]
    return {
        "$schema": drawings.SCHEMA,
        "width": 340,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "data": {"values": []},
        "encoding": encoding,
        **more,
        "usermeta": {"vizkit": {**meta, "fields": named}},
    }


_SHARES: Final = (("count", "Values", "number"), ("share", "Share", "percent"))
_BUCKETS: Final = (("low", "From", "number"), ("high", "To", "number"))
_SET: Final = ("series", "Data set", "text")


def _standard(colour: dict[str, Any], *, several: bool) -> Any:
    encoding = {
        "x": {"field": "x", "bin": "binned", "type": "quantitative", "title": None},
        "x2": {"field": "x2"},
        "y": {"field": "count", "type": "quantitative", "title": None, "stack": None, "axis": {"tickCount": 3}},
        "color": colour,
    }
    # With several data sets, bars are transparent so that those behind them are visible.
    look = {"fillOpacity": 0.45, "strokeWidth": 1} if several else {"fillOpacity": 0.8, "strokeWidth": 0}
    if several:
        encoding["stroke"] = colour
    meta = {"near": "x", "x": "low", "x2": "high", "y": "count"}
    fields = [*_BUCKETS, *([_SET] if several else []), *_SHARES]
    return _spec(encoding, height=100, fields=fields, mark={"type": "bar", **look}, meta=meta)


def _quantiles(colour: dict[str, Any], lanes: int) -> Any:
    x = {"field": "x", "type": "quantitative", "title": None, "scale": {"zero": False}}
    y = {"field": "set", "type": "ordinal", "axis": None}
    band = {
        "x2": {"field": "x2"},
        "color": colour,
        "opacity": {"condition": {"test": "datum.is_odd", "value": 0.35}, "value": 0.7},
    }
    median = {"mark": {"type": "tick", "thickness": 2, "color": drawings.TEXT}, "encoding": {"x": {"field": "median"}}}
    layers = [{"mark": {"type": "bar"}, "encoding": band}, median]
    meta = {"near": "point", "x": "low", "x2": "high", "y": "set"}
    fields = [*([_SET] if lanes > 1 else []), *_BUCKETS, *_SHARES]
    return _spec({"x": x, "y": y}, height={"step": 26}, fields=fields, layer=layers, meta=meta)


def _values(colour: dict[str, Any], *, several: bool) -> Any:
    encoding: dict[str, Any] = {
        "x": {"field": "count", "type": "quantitative", "title": None, "axis": {"tickCount": 4}},
        "y": {"field": "value", "type": "nominal", "sort": None, "title": None, "axis": {"labelOverlap": False}},
    }
    if several:
        encoding["yOffset"] = {"field": "set", "type": "ordinal"}
    bars = {"mark": {"type": "bar", "fillOpacity": 0.85}, "encoding": {"color": colour}}
    words = {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"text": {"field": "short"}}}
    meta = {"near": "bar", "x": "count", "y": "value", **({"offset": "set"} if several else {})}
    fields = [("value", "Value", "text"), *([_SET] if several else []), *_SHARES]
    layers = [bars] if several else [bars, words]
    padding = {"left": 5, "top": 5, "right": 40, "bottom": 5}
    step = {"step": 18, "for": "position"}
    return _spec(encoding, height=step, fields=fields, layer=layers, padding=padding, meta=meta)


# --- The first picture: the first features side by side -----------------------------------------------------------


def picture(datasets: Sequence[Dataset], rows: Sequence[Row]) -> drawings.Spec | None:
    """Returns the first features' histograms in one specification, with their data; None if there are none.

    If no feature is numeric, it shows the most frequent values of the first features.
    """
    drawn = [(name, found) for name, found in rows if any(_histogram(each) for each in found)]
    kind, read = ("standard", _histogram) if drawn else ("values", _frequencies)
    drawn = drawn or [(name, found) for name, found in rows if any(_frequencies(each) for each in found)]
    values = [
        {"feature": name, "set": number, "series": datasets[number].name, **row}
        for name, found in drawn[:_MOST_IN_PICTURE]
        for number, feature in enumerate(found)
        for row in read(feature)
    ]
    if not values:
        return None
    made = specifications(datasets)[kind]
    if len(datasets) > 1:
        # The page has a legend of its own; the picture needs the data sets' names.
        labels = json.dumps([each.name for each in datasets])
        legend = {"title": None, "labelExpr": f"{labels}[datum.value]"}
        (made["layer"][0] if "layer" in made else made)["encoding"]["color"]["legend"] = legend
    inner = {key: made[key] for key in ("mark", "layer", "encoding") if key in made}
    names = list(dict.fromkeys(row["feature"] for row in values))
    return {
        "$schema": drawings.SCHEMA,
        "title": f"{len(names)} of {len(rows):,} features",
        "config": made["config"],
        "data": {"values": values},
        "facet": {"field": "feature", "type": "nominal", "title": None, "sort": names},
        "columns": 3,
        "spec": {"width": 200, "height": 90, **inner},
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
    }


def _histogram(feature: Feature | None) -> list[dict[str, Any]]:
    buckets = feature.numbers.standard if feature is not None and feature.numbers is not None else ()
    return [_bucket(each) for each in buckets if math.isfinite(each.low) and math.isfinite(each.high)]


def _bucket(bucket: Bucket) -> dict[str, Any]:
    # A single value becomes a bar of width 1.
    widen = 0.5 if bucket.low == bucket.high else 0.0
    return {"x": bucket.low - widen, "x2": bucket.high + widen, "count": bucket.count}


def _frequencies(feature: Feature | None) -> list[dict[str, Any]]:
    texts = feature.texts if feature is not None else None
    found = (texts.ranks or texts.top)[:_MOST_VALUES] if texts is not None else ()
    return [
        {"value": each.value[:40] or "(empty)", "count": each.count, "short": html.number(each.count)} for each in found
    ]
