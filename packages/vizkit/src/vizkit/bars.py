"""Horizontal bars with names of any length, as a Vega-Lite specification with sorting, search and paging."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import drawings, html

MAX_BARS: Final = 2000
# The sort orders of the page: the label of each, and its sort expression.
_ORDERS: Final = {
    "as given": "datum.place",
    "greatest first": "-datum.value",
    "least first": "datum.value",
    "farthest from zero first": "-abs(datum.value)",
    "by name": "datum.alphabet",
}


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
    """Returns the first bars in the given order; controls show more, sort and search.

    Args:
        bars: those with finite values are drawn.
        title: of the chart.
        name_title: of the names.
        value_title: of the values.
        reach_title: the meaning of whiskers, such as "standard deviation".
        first: how many are shown initially.
    """
    drawn = [each for each in bars if math.isfinite(each.value)][:MAX_BARS]
    fields = [
        {"field": "name", "title": name_title, "kind": "text"},
        {"field": "value", "title": value_title, "kind": "number"},
        *([{"field": "deviation", "title": reach_title.capitalize(), "kind": "number"}] if reach_title else []),
    ]
    spec = {
        "$schema": drawings.SCHEMA,
        "description": f"{title}: {len(drawn):,} bars",
        "title": {"text": title, "subtitle": [f"Error bars: one {reach_title}"] if reach_title else []},
        "width": 640,
        # Space for the labels at the ends of the bars.
        "padding": {"left": 5, "top": 5, "right": 120, "bottom": 5},
        "height": {"step": 22},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "params": _params(len(drawn), first),
        "data": {"name": "bars", "values": _rows(drawn)},
        "transform": _transforms(),
        "encoding": {"y": {"field": "name", "type": "nominal", "sort": {"field": "rank", "op": "min"}, "title": None}},
        "layer": _layers(value_title),
        "usermeta": {"vizkit": {"near": "bar", "x": "value", "y": "name", "fields": fields}},
    }
    left = f"{len(drawn):,} of {len(bars):,} bars are shown."
    return drawings.draw([spec], notes=[left] if len(bars) > len(drawn) else [])


def _rows(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    alphabet = {name: place for place, name in enumerate(sorted((bar.name for bar in bars), key=str.casefold))}
    return [
        {
            "name": bar.name,
            "value": bar.value,
            "deviation": bar.reach,
            "low": bar.value - (bar.reach or 0),
            "high": bar.value + (bar.reach or 0),
            "edge": max(0.0, bar.value + (bar.reach or 0)),
            "short": html.number(bar.value),
            "words": html.number(bar.value) + (f" ± {html.number(bar.reach, 2)}" if bar.reach is not None else ""),
            "place": place,
            "alphabet": alphabet[bar.name],
        }
        for place, bar in enumerate(bars)
    ]


def _params(count: int, first: int) -> list[dict[str, Any]]:
    most = {"input": "range", "min": 1, "max": max(2, count), "step": 1, "name": "Bars"}
    orders = {"input": "select", "options": list(_ORDERS), "name": "Sort"}
    binds = {"most": most, "order": orders, "search": {"input": "search", "name": "Search"}} if count > 2 else {}
    values = {"most": min(first, max(count, 1)), "order": "as given", "search": ""}
    return [
        {"name": name, "value": value, **({"bind": binds[name]} if name in binds else {})}
        for name, value in values.items()
    ]


def _transforms() -> list[dict[str, Any]]:
    key = "".join(f"order == {drawings.literal(words)} ? {by} : " for words, by in _ORDERS.items()) + "datum.place"
    return [
        {"calculate": key, "as": "key"},
        {"filter": "search == '' || indexof(lower(datum.name), lower(search)) >= 0"},
        {"window": [{"op": "row_number", "as": "rank"}], "sort": [{"field": "key"}]},
        {"filter": "datum.rank <= most"},
    ]


def _layers(value_title: str) -> list[dict[str, Any]]:
    x = {"field": "value", "type": "quantitative", "title": value_title}
    less = {"condition": {"test": "datum.value < 0", "value": drawings.PALETTE[1]}, "value": drawings.PALETTE[0]}
    rule = {"type": "rule", "color": drawings.TEXT}
    # To the right of the bar, its whisker and zero; on a narrow page without the deviation.
    words = {"type": "text", "align": "left", "dx": 6, "text": {"expr": "width < 300 ? datum.short : datum.words"}}
    return [
        {"mark": {"type": "bar", "height": 14}, "encoding": {"x": x, "color": less}},
        {"mark": rule, "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": words, "encoding": {"x": {**x, "field": "edge"}}},
    ]
