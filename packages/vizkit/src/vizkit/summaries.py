"""Summarizes each column over all rows, in one or two passes that never keep the rows in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from .cells import as_text
from .tabular import Table, values

# A table with up to this many cells is kept in memory, and all its figures are exact.
_EXACT_CELLS: Final = 5_000_000
# In larger tables, up to this many distinct values of a column are counted. Above it, a sample chosen by hash is
# counted.
_EXACT_DISTINCT: Final = 2_000_000
_ONE_IN: Final = 64
_TASTE_ROWS: Final = 100_000
_MAX_CHARS: Final = 200
_NAMES: Final = {"Binary": "bytes", "Null": "empty"}


@dataclass(frozen=True)
class ColumnSummary:
    """One column over all rows.

    Attributes:
        kind: number, text, date, true/false, or nested.
        missing: rows without a value: null, NaN, and in a text file an empty cell or a word such as NA.
        distinct: the number of distinct values; None if they are not counted.
        is_exact: False if `distinct` is an estimate, with an error below 2 %.
        low, high: values of the column, as written there.
        mean: None if the column is not numeric.
    """

    name: str
    kind: str
    missing: int
    distinct: int | None
    is_exact: bool
    low: str
    high: str
    mean: float | None


def summarize(found: Table, columns: Sequence[str]) -> list[ColumnSummary]:
    """Returns the figures of each column."""
    return found.with_numbers(lambda table: _summarized(table, columns))


def _summarized(found: Table, columns: Sequence[str]) -> list[ColumnSummary]:
    total = found.total
    frame = found.by_place(columns)
    is_small = total * len(columns) <= _EXACT_CELLS
    if is_small:
        frame = found.select(pl.all(), from_frame=frame).lazy()
    # Columns are identified by their positions from here on.
    places = {str(at): name for at, name in enumerate(columns)}
    schema = frame.collect_schema()
    readings = {place: found.readings.get(name, "") for place, name in places.items()}
    are_texts = {at: found.is_text and schema[at] == pl.String for at in places}
    makers = {at: _text_figures if is_text else _figures for at, is_text in are_texts.items()}
    figures = _evaluated(found, frame, {at: makers[at](pl.col(at), schema[at], readings[at]) for at in places})
    nested = {at for at, name in places.items() if name in found.nested}
    kept = {
        at: there for at in places if at not in nested and (there := _there(pl.col(at), schema[at], found)) is not None
    }
    distinct = _distinct(found, frame, kept, is_small=is_small)
    if found.is_text and is_small:
        _as_written(frame, figures, readings)
    _say_mixed(found, frame, places, figures)
    return [
        _one(name, schema[at], figures[at], total, distinct.get(at), is_nested=at in nested)
        for at, name in places.items()
    ]


def _evaluated(
    found: Table, frame: pl.LazyFrame, expressions: Mapping[str, Mapping[str, pl.Expr]]
) -> dict[str, dict[str, Any]]:
    """Returns each column's figures from one pass; lows and highs as text."""
    flat = [each.alias(f"{at}.{key}") for at, made in enumerate(expressions.values()) for key, each in made.items()]
    answer = found.select(*flat, from_frame=frame)
    names = list(expressions)
    figures: dict[str, dict[str, Any]] = {name: {} for name in names}
    for series in answer.get_columns():
        at, _, key = series.name.partition(".")
        is_limit = key in {"low", "high"} and not series.dtype.is_float()
        figures[names[int(at)]][key] = as_text(series)[0] if is_limit else series[0]
    return figures


def _text_figures(column: pl.Expr, _: pl.DataType, reading: str) -> dict[str, pl.Expr]:
    there = values.there(column)
    plain = values.bare(there, reading)
    number, whole = plain.cast(pl.Float64, strict=False), plain.cast(pl.Int128, strict=False)
    finite = pl.when(number.is_finite()).then(number)
    digits = there.str.contains(values.NAME_OF_DIGITS) & ~there.str.contains(r"[.eE]")
    return {
        "there": there.count(),
        "numbers": number.count(),
        "wholes": whole.count(),
        "digits": digits.sum(),
        "low": there.min(),
        "high": there.max(),
        "least": finite.min(),
        "most": finite.max(),
        "least_whole": whole.min().cast(pl.String),
        "most_whole": whole.max().cast(pl.String),
        "mean": finite.mean(),
    }


def _figures(column: pl.Expr, kind: pl.DataType, _: str) -> dict[str, pl.Expr]:
    if kind.is_nested() or kind in {pl.Binary, pl.Null, pl.Object}:
        return {"there": column.is_not_null().sum()}
    if kind in {pl.Categorical, pl.Enum}:
        column = column.cast(pl.String)
    if kind.is_float():
        finite = pl.when(column.is_finite()).then(column)
        mean = finite.cast(pl.Float64).mean()
        return {"there": column.is_not_nan().sum(), "low": finite.min(), "high": finite.max(), "mean": mean}
    figures = {"there": column.count(), "low": column.min(), "high": column.max()}
    return {**figures, "mean": column.cast(pl.Float64).mean()} if kind.is_numeric() else figures


def _there(column: pl.Expr, kind: pl.DataType, found: Table) -> pl.Expr | None:
    """Returns the values of a column to count distinct ones; None if they are not counted."""
    if kind.is_nested() or kind in {pl.Binary, pl.Null, pl.Object}:
        return None
    if found.is_text and kind == pl.String:
        return values.there(column)
    return pl.when(column.is_not_nan()).then(column) if kind.is_float() else column


def _distinct(
    found: Table, frame: pl.LazyFrame, counted: Mapping[str, pl.Expr], *, is_small: bool
) -> dict[str, tuple[int, bool]]:
    """Returns the number of distinct values by column, and whether it is exact.

    For a large table, a sample of the first rows shows which columns have so many that counting would take too much
    memory.
    """
    if is_small:
        return _counts(found, frame, counted)
    taste = _counts(found, frame.head(_TASTE_ROWS), counted)
    many = {name: there for name, there in counted.items() if taste[name][0] > _TASTE_ROWS // 10}
    answer = _counts(found, frame, {name: there for name, there in counted.items() if name not in many})
    if many:
        hashes = {name: there.hash(7) for name, there in many.items()}
        sampled = {name: hash_.filter(hash_ % _ONE_IN == 0).n_unique() for name, hash_ in hashes.items()}
        row = found.select(*(each.alias(name) for name, each in sampled.items()), from_frame=frame).row(0, named=True)
        estimates = {name: int(count) * _ONE_IN for name, count in row.items()}
        few = {name: there for name, there in many.items() if estimates[name] <= _EXACT_DISTINCT}
        answer |= {name: (count, False) for name, count in estimates.items()} | _counts(found, frame, few)
    return answer


def _counts(found: Table, frame: pl.LazyFrame, counted: Mapping[str, pl.Expr]) -> dict[str, tuple[int, bool]]:
    if not counted:
        return {}
    # `n_unique` counts null as a value.
    made = ((there.n_unique() - there.is_null().any().cast(pl.UInt32)).alias(name) for name, there in counted.items())
    row = found.select(*made, from_frame=frame).row(0, named=True)
    return {name: (int(count), True) for name, count in row.items()}


def _say_mixed(
    found: Table, frame: pl.LazyFrame, places: Mapping[str, str], figures: Mapping[str, Mapping[str, Any]]
) -> None:
    """Notes columns that are text only because of a few words among numbers."""
    for at, name in places.items():
        there, count = figures[at]["there"], figures[at].get("numbers", 0)
        if values.is_mixed(there, count):
            number = values.bare(pl.col(at), found.readings.get(name, "")).cast(pl.Float64, strict=False)
            word = found.select(
                values.there(pl.col(at)).filter(number.is_null()).drop_nulls().first(), from_frame=frame
            )
            found.notes.add(values.mixed_note(name, there, count, word.item()))


def _as_written(frame: pl.LazyFrame, figures: dict[str, dict[str, Any]], readings: Mapping[str, str]) -> None:
    """Replaces the values of the least and greatest fractions by their original texts."""
    made = []
    for name, each in figures.items():
        if "wholes" in each and _is_number(each) and each["wholes"] < each["there"]:
            number = values.bare(pl.col(name), readings.get(name, "")).cast(pl.Float64, strict=False)
            made += [
                pl.col(name).filter(number == each[key]).first().alias(f"{name}\0{key}")
                for key in ("least", "most")
                if each[key] is not None
            ]
    for key, text in frame.select(made).collect().row(0, named=True).items() if made else ():
        name, _, figure = key.rpartition("\0")
        figures[name][figure] = text.strip() if text else figures[name][figure]


def _is_number(figures: Mapping[str, Any]) -> bool:
    return 0 < figures["there"] == figures.get("numbers") and not figures["digits"]


def _one(
    name: str,
    kind: pl.DataType,
    figures: dict[str, Any],
    total: int,
    distinct: tuple[int, bool] | None,
    *,
    is_nested: bool,
) -> ColumnSummary:
    there = figures["there"]
    is_text_number = "numbers" in figures and _is_number(figures)
    is_number = kind.is_numeric() or is_text_number
    low, high = figures.get("low"), figures.get("high")
    if is_text_number:
        is_whole = figures["wholes"] == there
        low, high = (figures[f"{end}_whole" if is_whole else end] for end in ("least", "most"))
    count, is_exact = distinct if distinct is not None else (None, True)
    return ColumnSummary(
        name=name,
        kind="number" if is_number else "nested" if is_nested else _kind_of(kind),
        missing=total - there,
        # An estimate may exceed the number of values.
        distinct=None if count is None else min(count, there),
        is_exact=is_exact,
        low="" if is_nested else _say(low),
        high="" if is_nested else _say(high),
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
