"""A table's cells as text: the content of the first rows, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from .tabular import Table
from .tabular.jsons import cell_text

_MAX_CELL_CHARS: Final = 20_000


def head_texts(found: Table, count: int, columns: Sequence[str]) -> pl.DataFrame:
    """Returns the first rows as text, by column; nested values as JSON, missing values as null.

    Text files have no null: an empty cell is an empty text.
    """
    if found.rows is not None:
        return _json_texts(found.rows(count), columns)
    frame = found.select(pl.all(), from_frame=found.by_place(columns).head(count))
    frame.columns = list(columns)
    if found.is_text:
        return frame.select(pl.all().fill_null(""))
    return pl.DataFrame([as_text(series) for series in frame.get_columns()])


def as_text(series: pl.Series) -> pl.Series:
    """Returns a column's values as text: nested values as JSON, only the beginning of bytes."""
    kind = series.dtype
    if kind == pl.Binary:
        return pl.Series(series.name, [None if each is None else _say_bytes(each) for each in series], pl.String)
    if kind.is_nested():
        shown = [None if each is None else _json_of(each) for each in series.to_list()]
        return pl.Series(series.name, shown, pl.String)
    if kind == pl.Time:
        return series.dt.to_string("%H:%M:%S%.f")
    try:
        return series.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(series.name, [None if each is None else str(each) for each in series], pl.String)


def _say_bytes(value: bytes) -> str:
    return f"{value[:16].hex(' ')}{' …' if len(value) > 16 else ''} ({len(value):,} bytes)"


def _json_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _json_default(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)


def _json_texts(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    texts: list[list[str | None]] = [[] for _ in columns]
    for row in rows:
        for name, column in zip(columns, texts, strict=True):
            column.append(cell_text(row.get(name)))
    return pl.DataFrame([pl.Series(name, column, pl.String) for name, column in zip(columns, texts, strict=True)])


def cut(texts: pl.DataFrame, max_chars: int) -> pl.DataFrame:
    """Returns the first rows with at most `max_chars` bytes together, at least one; a huge cell shows its size."""
    short = texts.select(_cut_cell(pl.col(name)).alias(name) for name in texts.columns)
    sizes = short.select(pl.sum_horizontal(pl.all().str.len_bytes()).cum_sum()).to_series()
    return short.head(max(1, int((sizes <= max_chars).sum())))


def _cut_cell(cell: pl.Expr) -> pl.Expr:
    size = cell.str.len_chars()
    begun = pl.format("{} … ({} characters)", cell.str.slice(0, _MAX_CELL_CHARS), size)
    return pl.when(size > _MAX_CELL_CHARS).then(begun).otherwise(cell)
