"""Delimited text and JSON lines as the first rows of a table."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vizkit.dialect import How, find_dialect
from vizkit.notes import Notes

from apps.runs.previews.preview import MOST_COLUMNS, MOST_ROWS, Preview, shortened
from apps.runs.previews.preview_kind import PreviewFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The first rows; `is_cut` if there are more; `notes` lists the assumptions made."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_cut: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview(Preview):
    """The first rows of a table.

    Attributes:
        types: of the columns; empty if the file does not state them.
        row_count: of the whole table; None if only its beginning was read.
    """

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    types: tuple[str, ...] = ()
    row_count: int | None = None


def table_preview(preview_kind: str, file: PreviewFile, table: Table) -> TablePreview:
    """Returns the preview of a file from which a table was read."""
    return TablePreview(
        preview_kind=preview_kind,
        size_bytes=file.known_size,
        header=table.header,
        rows=table.rows,
        is_cut=table.is_cut,
        row_count=None if table.is_cut else len(table.rows),
        note=" ".join(filter(None, (file.encoding_note, *table.notes))),
    )


def delimited(text: str, *, is_cut: bool, suffix: str = "") -> Table | None:
    """Parses delimited text as a table and pads short rows; None if that is impossible.

    Delimiter, header, comments and the like are detected as in the visualization types.

    Args:
        text: the beginning of the file, or all of it.
        is_cut: whether the text is cut off; then its last row, which may be incomplete, is dropped.
        suffix: of the file's name.
    """
    notes = Notes()
    dialect = find_dialect(text, How(), notes, is_whole=not is_cut, suffix=suffix)
    lines = itertools.islice(io.StringIO(text, newline=""), dialect.skipped, None)
    reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.is_spaced)
    return _table(reader, dialect.names, is_cut=is_cut, most_rows=MOST_ROWS, notes=tuple(notes))


def rows_alone(text: str, *, is_cut: bool, most_rows: int) -> Table | None:
    """Parses CSV without a header, whose columns are named elsewhere."""
    return _table(csv.reader(io.StringIO(text, newline="")), (), is_cut=is_cut, most_rows=most_rows)


def _table(
    reader: Iterator[list[str]], names: Sequence[str], *, is_cut: bool, most_rows: int, notes: tuple[str, ...] = ()
) -> Table | None:
    try:
        rows = list(itertools.islice((row for row in reader if row), most_rows + 1))
    except csv.Error:
        return None
    if is_cut and len(rows) <= most_rows:
        rows = rows[:-1]
    width = min(MOST_COLUMNS, max([len(names), *map(len, rows)]))
    return Table(
        header=_row(list(names), width) if names else (),
        rows=tuple(_row(row, width) for row in rows[:most_rows]),
        is_cut=is_cut or len(rows) > most_rows,
        notes=notes,
    )


def _row(cells: list[str], width: int) -> tuple[str, ...]:
    filled = [shortened(cell) for cell in cells[:width]]
    return tuple(filled + [""] * (width - len(filled)))


def json_lines(text: str, *, is_cut: bool) -> Table | None:
    """Returns JSON lines as a table with a column for each key; None if a line is not JSON."""
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
