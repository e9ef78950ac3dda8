"""Figures of each column over all rows, in one pass that never holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from .frames import MISSING, Scan

# Up to so many cells distinct values are counted exactly; beyond, by HyperLogLog, which is about 2 % off.
_EXACT_CELLS: Final = 5_000_000
# HyperLogLog tells so few values apart without a doubt.
_SURELY_EXACT: Final = 20
_MAX_CHARS: Final = 200
_NAMES: Final = {"Binary": "bytes", "Null": "empty"}


@dataclass(frozen=True)
class ColumnSummary:
    """One column over all rows.

    Attributes:
        kind: number, text, date, true/false, or nested.
        missing: rows without a value: null, NaN, and in a text file an empty cell or a word such as NA.
        distinct: values that differ; None where that is not counted.
        is_exact: false where `distinct` is an estimate.
        mean: None where it is no number.
    """

    name: str
    kind: str
    missing: int
    distinct: int | None
    is_exact: bool
    low: str
    high: str
    mean: float | None


def count(frame: pl.LazyFrame) -> int:
    """Returns the number of rows."""
    return int(frame.select(pl.len()).collect(engine="streaming").item())


def summarize(found: Scan, columns: Sequence[str], total: int) -> list[ColumnSummary]:
    """Returns the figures of each column.

    Args:
        total: the number of all rows.
    """
    schema = found.frame.select(columns).collect_schema()
    is_exact = total * len(columns) <= _EXACT_CELLS
    expressions = []
    for index, name in enumerate(columns):
        kind = schema[name]
        make = _text_figures if found.is_text else _figures
        made = make(pl.col(name), kind, is_exact=is_exact)
        expressions += [expression.alias(f"{index}.{figure}") for figure, expression in made.items()]
    row = found.frame.select(expressions).collect(engine="streaming").row(0, named=True)
    figures: list[dict[str, Any]] = [{} for _ in columns]
    for key, value in row.items():
        index, _, figure = key.partition(".")
        figures[int(index)][figure] = value
    return [
        _one(name, schema[name], each, total, is_exact=is_exact) for name, each in zip(columns, figures, strict=True)
    ]


def _text_figures(column: pl.Expr, _: pl.DataType, *, is_exact: bool) -> dict[str, pl.Expr]:
    is_there = column.is_not_null() & ~column.is_in(MISSING)
    there = pl.when(is_there).then(column)
    value = there.cast(pl.Float64, strict=False)
    finite = pl.when(value.is_finite()).then(value)
    return {
        "there": is_there.sum(),
        "distinct": _distinct(there, is_exact=is_exact),
        "numbers": value.count(),
        "low": there.min(),
        "high": there.max(),
        "least": finite.min(),
        "most": finite.max(),
        "mean": finite.mean(),
    }


def _figures(column: pl.Expr, kind: pl.DataType, *, is_exact: bool) -> dict[str, pl.Expr]:
    if kind.is_nested() or kind in {pl.Binary, pl.Null, pl.Object}:
        return {"there": column.is_not_null().sum()}
    if kind in {pl.Categorical, pl.Enum}:
        column = column.cast(pl.String)
    there = pl.when(column.is_not_nan()).then(column) if kind.is_float() else column
    figures = {"there": there.is_not_null().sum(), "distinct": _distinct(there, is_exact=is_exact)}
    if kind.is_numeric():
        value = column.cast(pl.Float64)
        finite = pl.when(value.is_finite()).then(value)
        return {**figures, "least": finite.min(), "most": finite.max(), "mean": finite.mean()}
    return {**figures, "low": there.min(), "high": there.max()}


def _distinct(there: pl.Expr, *, is_exact: bool) -> pl.Expr:
    # Null, which both count, is taken off in `_one`. The estimate is far better for hashes than for short texts.
    return there.n_unique() if is_exact else there.hash(7).approx_n_unique()


def _one(name: str, kind: pl.DataType, figures: dict[str, Any], total: int, *, is_exact: bool) -> ColumnSummary:
    there, distinct = figures["there"], figures.get("distinct")
    is_number = kind.is_numeric() or (0 < there == figures.get("numbers"))
    low, high = figures.get("low"), figures.get("high")
    if is_number:
        low, high = figures["least"], figures["most"]
    if distinct is not None:
        # An estimate may come out above what there can be.
        distinct = min(distinct - (there < total) if is_exact else round(distinct), there)
    return ColumnSummary(
        name=name,
        kind="number" if is_number else _kind_of(kind),
        missing=total - there,
        distinct=distinct,
        is_exact=is_exact or (distinct is not None and distinct < _SURELY_EXACT),
        low=_say(low),
        high=_say(high),
        mean=_finite(figures["mean"]) if is_number else None,
    )


def _kind_of(kind: pl.DataType) -> str:
    if kind.is_temporal():
        return "date"
    return "true/false" if kind == pl.Boolean else "nested" if kind.is_nested() else _NAMES.get(str(kind), "text")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _say(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _MAX_CHARS else text[:_MAX_CHARS] + "…"
