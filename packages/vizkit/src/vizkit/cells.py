"""A table's cells as text: what the first rows say, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from . import frames

_MAX_CELL_CHARS: Final = 20_000


def head_texts(found: frames.Scan, count: int, columns: Sequence[str]) -> pl.DataFrame:
    """Returns the first rows as text, column by column; nested values as JSON, what is not there as null.

    Of a text file nothing is null: an empty cell is empty.
    """
    if found.json_paths:
        return _json_texts(islice(_json_lines(found.json_paths), count), columns)
    frame = found.frame.select(columns).head(count).collect(engine="streaming")
    if found.is_text:
        return frame.select(pl.all().fill_null(""))
    return pl.DataFrame([as_text(series) for series in frame.get_columns()])


def as_text(series: pl.Series) -> pl.Series:
    """Returns a column's values as text: nested ones as JSON, bytes as their beginning."""
    kind = series.dtype
    if kind == pl.Binary:
        return pl.Series(series.name, [None if each is None else _say_bytes(each) for each in series], pl.String)
    if kind.is_nested():
        shown = [None if each is None else _json_of(each) for each in series.to_list()]
        return pl.Series(series.name, shown, pl.String)
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


class _Literal(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made


def _json_lines(paths: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.strip():
                    row = json.loads(line, parse_float=_Literal)
                    if not isinstance(row, dict):
                        raise ValueError("A line of the file is JSON and no object, so it is no row.")
                    yield row


def _json_texts(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    cells: list[list[str | None]] = [[] for _ in columns]
    for row in rows:
        for name, column in zip(columns, cells, strict=True):
            column.append(_json_cell(row.get(name)))
    return pl.DataFrame([pl.Series(name, column, pl.String) for name, column in zip(columns, cells, strict=True)])


def _json_cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.text if isinstance(value, _Literal) else _json_of(value)


def cut(texts: pl.DataFrame, max_chars: int) -> pl.DataFrame:
    """Returns as many of the first rows as have so many bytes together, at least one; a giant cell says its size."""
    short = texts.select(_cut_cell(pl.col(name)).alias(name) for name in texts.columns)
    sizes = short.select(pl.sum_horizontal(pl.all().str.len_bytes()).cum_sum()).to_series()
    return short.head(max(1, int((sizes <= max_chars).sum())))


def _cut_cell(cell: pl.Expr) -> pl.Expr:
    size = cell.str.len_chars()
    begun = pl.format("{} … ({} characters)", cell.str.slice(0, _MAX_CELL_CHARS), size)
    return pl.when(size > _MAX_CELL_CHARS).then(begun).otherwise(cell)
