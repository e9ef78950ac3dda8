"""Evaluates predictions of a number: errors, their quantiles, and charts. The figures equal scikit-learn's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from . import drawings
from .charts import Axis, Chart, Series
from .predictions import PREDICTED_COLUMNS, TARGET_COLUMNS
from .tabular import floats
from .tabular.columns import SHOWN_COLUMNS, describe, find_name

_TRUE: Final = ("y_true", "target", "actual", "label", "observed", "true", "truth", *TARGET_COLUMNS)
_PREDICTED: Final = (
    "y_pred",
    "prediction",
    "predicted",
    "predictions",
    "pred",
    "forecast",
    "score",
    *PREDICTED_COLUMNS,
)
_WEIGHTS: Final = ("sample_weight", "sample_weights", "weight", "weights")
_MAX_POINTS: Final = 2000
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Rows with a true and a predicted number.

    Attributes:
        names: of the two columns.
        left_out: rows that lack one of the numbers.
        ignored: an existing column of weights, which is not used; "" for none.
    """

    truth: Any
    predicted: Any
    names: tuple[str, str]
    left_out: int
    ignored: str = ""


def read_pairs(rows: pl.DataFrame, target: str = "", prediction: str = "") -> Pairs:
    """Returns the pairs of a table.

    Args:
        rows: the table.
        target: column; "" to find it by its usual names.
        prediction: likewise.

    Raises:
        ValueError: a column is missing, or contains no numbers; the text is for people.
    """
    names = (_column(rows, target, _TRUE, "true values"), _column(rows, prediction, _PREDICTED, "predictions"))
    if names[0] == names[1]:
        raise ValueError(f'Column "{names[0]}" cannot be both target and prediction. Name both columns.')
    truth, predicted = (_numbers(rows, name) for name in names)
    is_whole = np.isfinite(truth) & np.isfinite(predicted)
    if not is_whole.any():
        raise ValueError(f'No row has a number in both "{names[0]}" and "{names[1]}".')
    weights = find_name(rows.columns, _WEIGHTS)
    return Pairs(
        truth=truth[is_whole],
        predicted=predicted[is_whole],
        names=names,
        left_out=int((~is_whole).sum()),
        ignored=weights,
    )


def _column(rows: pl.DataFrame, wanted: str, usual: Sequence[str], what: str) -> str:
    found = (wanted if wanted in rows.columns else "") if wanted else find_name(rows.columns, usual)
    if found:
        return found
    described = describe(rows.head(50).select(rows.columns[:SHOWN_COLUMNS]), rows.columns[SHOWN_COLUMNS:])
    if wanted:
        raise ValueError(f'Column "{wanted}" is not in the file. {described}')
    raise ValueError(f"No column of {what}, such as {usual[0]}, was found. Name it. {described}")


def _numbers(rows: pl.DataFrame, name: str) -> Any:
    column = rows[name]
    numbers = floats(column)
    if column.dtype.is_temporal() or not numbers.count():
        sample = next((str(each) for each in column.drop_nulls().head(1)), "nothing")
        raise ValueError(f'Column "{name}" holds no numbers, but values such as {sample[:60]}.')
    return numbers.fill_null(np.nan).to_numpy()


def errors(pairs: Pairs) -> dict[str, float | None]:
    """Returns mae, rmse, r2, median_absolute_error, bias (mean of prediction minus truth) and rows.

    r2 is None if the truth is constant.
    """
    residuals = pairs.predicted - pairs.truth
    spread = float(((pairs.truth - pairs.truth.mean()) ** 2).sum())
    return {
        "mae": float(np.abs(residuals).mean()),
        "rmse": float(np.sqrt((residuals**2).mean())),
        "r2": 1 - float((residuals**2).sum()) / spread if spread else None,
        "median_absolute_error": float(np.median(np.abs(residuals))),
        "bias": float(residuals.mean()),
        "rows": float(len(residuals)),
    }


def quantiles(pairs: Pairs) -> list[tuple[str, float, float]]:
    """Returns for each of QUANTILES its name, that quantile of the errors, and that of their absolute values."""
    residuals = pairs.predicted - pairs.truth
    at = list(QUANTILES)
    found = zip(at, np.quantile(residuals, at), np.quantile(np.abs(residuals), at), strict=True)
    return [(f"{share:.0%}", float(error), float(absolute)) for share, error, absolute in found]


def draw(pairs: Pairs) -> str:
    """Returns charts: predicted against true, errors against predicted, and a histogram of errors."""
    step = -(-len(pairs.truth) // _MAX_POINTS)
    truth, predicted = pairs.truth[::step], pairs.predicted[::step]
    ends = [float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))]
    true_name, predicted_name = pairs.names
    rows = [
        {"truth": float(t), "predicted": float(p), "error": float(p - t)} for t, p in zip(truth, predicted, strict=True)
    ]
    specs = [
        _scatter("Predicted against true values", rows, ("truth", f"True ({true_name})"),
                 ("predicted", f"Predicted ({predicted_name})"), [(ends[0], ends[0]), (ends[1], ends[1])]),
        _scatter("Errors against predictions", rows, ("predicted", f"Predicted ({predicted_name})"),
                 ("error", "Error (predicted minus true)"),
                 [(float(predicted.min()), 0.0), (float(predicted.max()), 0.0)]),
    ]  # fmt: skip
    notes = [f"{len(truth):,} of {len(pairs.truth):,} rows are drawn as points, one in {step:,}."] if step > 1 else []
    return drawings.draw(specs, notes=notes)


def histogram(pairs: Pairs) -> Chart:
    """Returns the histogram of errors, over all rows."""
    counts, edges = np.histogram(pairs.predicted - pairs.truth, 40)
    heights = [*counts.tolist(), int(counts[-1])]
    return Chart(
        title="Distribution of errors",
        x=Axis(title="Error (predicted minus true)"),
        y=Axis(title="Rows", low=0),
        series=[Series(name="Rows", x=edges.tolist(), y=heights, steps="after", is_filled=True)],
        is_low=True,
    )


def _scatter(
    title: str,
    rows: Sequence[Mapping[str, float]],
    x: tuple[str, str],
    y: tuple[str, str],
    line: Sequence[tuple[float, float]],
) -> dict[str, Any]:
    fields = [{"field": name, "title": words, "kind": "number"} for name, words in (x, y)]
    axes = [{"field": n, "type": "quantitative", "title": words, "scale": {"zero": False}} for n, words in (x, y)]
    zoom = {"type": "interval", "zoom": "wheel![event.shiftKey || event.ctrlKey]"}
    guide = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": drawings.MUTED}
    return {
        "$schema": drawings.SCHEMA,
        "description": f"{title}: {len(rows):,} points",
        "title": {"text": title},
        "width": 560,
        "height": 380,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "data": {"name": "points", "values": list(rows)},
        "encoding": {"x": axes[0], "y": axes[1]},
        "layer": [
            {
                "data": {"values": [dict(zip((x[0], y[0]), point, strict=True)) for point in line]},
                "mark": guide,
            },
            {
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 0.5, "color": drawings.PALETTE[0]},
                "params": [{"name": "zoom", "select": zoom, "bind": "scales"}],
            },
        ],
        "usermeta": {"vizkit": {"near": "point", "has_zoom": True, "x": x[0], "y": y[0], "fields": fields}},
    }
