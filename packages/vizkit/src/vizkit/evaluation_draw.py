"""Draws evaluations: a chart of a metric by slice, and all metrics in a sortable table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from . import drawings, html
from .evaluation import Evaluation, Slice, Value

# The number of available colours.
_MAX_MODELS: Final = 8
_MAX_SLICES: Final = 20_000
_PLAIN_SLICES: Final = 200
_PICTURE_SLICES: Final = 40
# Counts are not the first thing that a person wants to compare.
_COUNTS: Final = ("example_count", "weighted_example_count")


def draw_evaluations(found: Sequence[Evaluation], *, slicing_column: str = "") -> str:
    """Returns markup that shows every slice's metrics, with models next to each other.

    Args:
        found: the evaluations.
        slicing_column: only the overall slice and slices by this column (several, separated by commas, for a cross).

    Raises:
        ValueError: there are too many models, or no slice by that column; the text is for people.
    """
    if len(found) > _MAX_MODELS:
        raise ValueError(f"{len(found)} models are too many to compare; the limit is {_MAX_MODELS}.")
    wanted = {part.strip() for part in slicing_column.split(",") if part.strip()}
    keys = _keys(found, wanted)
    metrics = _metrics(found)
    by_key = [{each.keys: each for each in evaluation.slices} for evaluation in found]
    slices = [_shown(key, [slices.get(key) for slices in by_key], metrics) for key in keys]
    payload = {
        "models": [each.name for each in found],
        "metrics": metrics,
        "counts": [name for name in metrics if name in _COUNTS],
        "slices": slices,
        "chart": _specification(len(found)),
    }
    inner = _inner(found, metrics, slices)
    shown = html.component("evaluation", payload, inner=inner, label="Evaluation", before=drawings.SCRIPTS)
    style = f'<link rel="stylesheet" href="{html.asset_url("figure.css")}">'
    return f"{style}{shown}{drawings.picture(_picture(found, metrics, slices))}"


def _keys(found: Sequence[Evaluation], wanted: set[str]) -> list[tuple[tuple[str, str], ...]]:
    keys = list(dict.fromkeys(each.keys for evaluation in found for each in evaluation.slices))
    if not keys:
        raise ValueError("The evaluation has no metrics.")
    chosen = [key for key in keys if not wanted or not key or {name for name, _ in key} == wanted]
    if wanted and not any(chosen):
        cuts = dict.fromkeys(Slice(keys=key, metrics={}).columns for key in keys if key)
        there = f"It is sliced by: {'; '.join(cuts)}." if cuts else "It is not sliced."
        raise ValueError(f'The evaluation has no slices by "{", ".join(sorted(wanted))}". {there}')
    if len(chosen) > _MAX_SLICES:
        raise ValueError(f"{len(chosen):,} slices are too many to show; the limit is {_MAX_SLICES:,}. Choose a column.")
    return chosen


def _metrics(found: Sequence[Evaluation]) -> list[str]:
    names = dict.fromkeys(name for each in found for cut in each.slices for name in cut.metrics)
    return sorted(names, key=lambda name: name in _COUNTS)


def _shown(key: tuple[tuple[str, str], ...], cuts: list[Slice | None], metrics: list[str]) -> dict[str, Any]:
    own = Slice(keys=key, metrics={})
    values = [[_plain(cut.metrics.get(name)) if cut is not None else None for name in metrics] for cut in cuts]
    return {"label": own.label, "columns": own.columns, "values": values}


def _plain(value: Value | None) -> list[Any] | None:
    if value is None or math.isnan(value.value):
        return None
    if value.lower is None or value.upper is None or math.isnan(value.lower) or math.isnan(value.upper):
        return [_number(value.value)]
    return [_number(value.value), _number(value.lower), _number(value.upper)]


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "∞" if value > 0 else "-∞"


# --- The chart: a specification without data, which the page's script fills for a metric -------------------------


def _specification(models: int) -> drawings.Spec:
    """Returns the chart of a metric by slice: a point for each model, with its bounds if the file has them."""
    several = models > 1
    palette = list(drawings.PALETTE[:models])
    colour = {"field": "set", "type": "ordinal", "scale": {"domain": list(range(models)), "range": palette}}
    own = {"color": {**colour, "legend": None}}
    where: dict[str, Any] = {
        "y": {"field": "slice", "type": "nominal", "sort": None, "title": None, "axis": {"labelOverlap": False}}
    }
    if several:
        where["yOffset"] = {"field": "set", "type": "ordinal"}
    words = {"type": "text", "align": "left", "dx": 8}
    reach = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    layers = [
        {"data": {"name": "overall", "values": []}, "mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": own},
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5}, "encoding": {**where, **own, **reach}},
        {"mark": {"type": "circle", "size": 70, "opacity": 1}, "encoding": {**where, **own}},
    ]
    # With several points there is no room for labels.
    said = {"x": {"field": "edge", "type": "quantitative"}, "text": {"field": "short"}}
    fields = [("slice", "Slice", "text"), *([("series", "Model", "text")] if several else [])]
    fields += [("value", "Value", "number"), ("low", "Lower bound", "number"), ("high", "Upper bound", "number")]
    return {
        "$schema": drawings.SCHEMA,
        "width": 640,
        "height": {"step": 18 + 8 * (models - 1), "for": "position"},
        "padding": {"left": 5, "top": 5, "right": 60, "bottom": 5},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "data": {"values": []},
        "encoding": {"x": {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}},
        "layer": layers if several else [*layers, {"mark": words, "encoding": {**where, **said}}],
        "usermeta": {
            "vizkit": {
                "near": "bar",
                "x": "value",
                "y": "slice",
                **({"offset": "set"} if several else {}),
                "fields": [{"field": field, "title": title, "kind": kind} for field, title, kind in fields],
            }
        },
    }


def _picture(found: Sequence[Evaluation], metrics: list[str], slices: list[dict[str, Any]]) -> drawings.Spec | None:
    """Returns the chart of the first metric with its data, for the static picture; None if no slice has it."""
    rows = [
        {"slice": cut["label"], "set": number, "series": found[number].name, **_row(own[0])}
        for cut in slices[:_PICTURE_SLICES]
        for number, own in enumerate(cut["values"])
        if metrics and own[0] is not None and isinstance(own[0][0], float)
    ]
    if not rows:
        return None
    title = f"{metrics[0]} by slice"
    return {**_specification(len(found)), "title": title, "description": title, "data": {"values": rows}}


def _row(value: list[Any]) -> dict[str, Any]:
    bounds = value[1:] if all(isinstance(each, float) for each in value) and len(value) > 1 else [value[0], value[0]]
    return {"value": value[0], "low": bounds[0], "high": bounds[1], "edge": bounds[1], "short": html.number(value[0])}


def _inner(found: Sequence[Evaluation], metrics: list[str], slices: list[dict[str, Any]]) -> str:
    several = len(found) > 1
    notes = "".join(_note(each, several=several) for each in found)
    head = [*(["Model"] if several else []), *metrics]
    rows = [
        [cut["label"], *([evaluation.name] if several else []), *(_text(value) for value in values)]
        for cut in slices[:_PLAIN_SLICES]
        for evaluation, values in zip(found, cut["values"], strict=True)
    ]
    more = f", the first {_PLAIN_SLICES} of {len(slices):,}" if len(slices) > _PLAIN_SLICES else ""
    return f'{notes}<div class="vk-tables">{html.table(["Slice", *head], rows, caption=f"Slices{more}")}</div>'


def _text(value: list[Any] | None) -> str:
    if value is None:
        return ""
    shown = [each if isinstance(each, str) else html.number(each) for each in value]
    return shown[0] if len(shown) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def _note(found: Evaluation, *, several: bool) -> str:
    name = f"{found.name}: " if several else ""
    text = ""
    if found.failures is not None and not found.failures:
        text = f"<p>{html.text(name)}All thresholds are met.</p>"
    elif found.failures:
        rows = [(each.where, each.metric, each.threshold, each.value) for each in found.failures[:_PLAIN_SLICES]]
        table = html.table(("Slice", "Metric", "Threshold", "Value"), rows, caption="Thresholds not met", numbers=False)
        number = len(found.failures)
        words = f"{number} threshold{'s are' if number > 1 else ' is'} not met."
        text = f'<details><summary class="ev-alarm">{html.text(name)}{words}</summary>{table}</details>'
    if found.unshown:
        names = ", ".join(found.unshown[:20])
        text += f'<p class="vk-muted">{html.text(name)}Not single numbers, so not shown: {html.text(names)}.</p>'
    return text
