"""Delimited text and JSON lines as the first rows of a table."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from apps.runs.previews.preview import MOST_COLUMNS, MOST_ROWS, Preview, shortened
from apps.runs.previews.preview_kind import PreviewFile

_DELIMITERS: Final = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The first rows; `is_cut` where there are more."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview(Preview):
    """The first rows of a table.

    Attributes:
        types: of the columns; empty where the file does not state them.
        row_count: of the whole table; None where only its beginning was read.
    """

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    types: tuple[str, ...] = ()
    row_count: int | None = None


def table_preview(preview_kind: str, file: PreviewFile, table: Table) -> TablePreview:
    """Returns the preview of a file of which a table was read."""
    return TablePreview(
        preview_kind=preview_kind,
        size_bytes=file.known_size,
        header=table.header,
        rows=table.rows,
        is_cut=table.is_cut,
        row_count=None if table.is_cut else len(table.rows),
        note=file.encoding_note,
    )


def delimited(
    text: str, *, delimiter: str = "", is_cut: bool, has_header: bool = True, most_rows: int = MOST_ROWS
) -> Table | None:
    """Returns delimited text as a table, short rows filled up; None where it cannot be read as one.

    Args:
        delimiter: "" to take the one the first line uses most.
        is_cut: the text ends somewhere; its last row, which may be half of one, is left out.
        has_header: whether the first row names the columns.
    """
    first_line = _QUOTED.sub("", text.lstrip("\r\n").partition("\n")[0])
    chosen = delimiter or max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=chosen)
    wanted = most_rows + has_header
    try:
        lines = list(itertools.islice((row for row in reader if row), wanted + 1))
    except csv.Error:
        return None
    if is_cut and len(lines) <= wanted:
        lines = lines[:-1]
    header, rows = (lines[0], lines[1:]) if lines and has_header else ([], lines)
    width = min(MOST_COLUMNS, max(map(len, lines), default=0))
    return Table(
        header=_row(header, width) if has_header else (),
        rows=tuple(_row(row, width) for row in rows[:most_rows]),
        is_cut=is_cut or len(rows) > most_rows,
    )


def _row(cells: list[str], width: int) -> tuple[str, ...]:
    filled = [shortened(cell) for cell in cells[:width]]
    return tuple(filled + [""] * (width - len(filled)))


def json_lines(text: str, *, is_cut: bool) -> Table | None:
    """Returns JSON lines as a table with a column for each key; None where a line is no JSON."""
    lines = [line for line in text.split("\n") if line.strip()]
    if is_cut:
        lines = lines[:-1]
    try:
        records = [_record(json.loads(line)) for line in lines[:MOST_ROWS]]
    except (ValueError, RecursionError):
        return None
    if not records:
        return None
    header = tuple(dict.fromkeys(name for record in records for name in record))[:MOST_COLUMNS]
    return Table(
        header=tuple(map(shortened, header)),
        rows=tuple(tuple(_value(record.get(name)) for name in header) for record in records),
        is_cut=is_cut or len(lines) > MOST_ROWS,
    )


def _record(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}


def _value(value: Any) -> str:
    if value is None:
        return ""
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
