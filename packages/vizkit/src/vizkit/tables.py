"""A table that readers sort, search, filter and page through, with figures of all rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from . import html

if TYPE_CHECKING:
    from .summaries import ColumnSummary
    from .tabular import How

MAX_COLUMNS: Final = 300
_MAX_BYTES: Final = 20_000_000
_SHOWN_ROWS: Final = 12
_SHOWN_COLUMNS: Final = 12
_SHOWN_CHARS: Final = 120


@dataclass(frozen=True)
class Column:
    """A column of the page's table.

    Attributes:
        is_number: whether it is sorted by value and right-aligned.
        mark: the decimal mark, if its texts are not plain numbers; see `tabular.Table.readings`.
    """

    name: str
    is_number: bool = False
    mark: str = ""


def show_table(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[Any]],
    *,
    total: int | None = None,
    summary: Sequence[ColumnSummary] | None = None,
    caption: str = "",
    notes: Sequence[str] = (),
    digits: int | None = None,
) -> None:
    """Displays rows of values as a table; see `table` for its arguments."""
    html.show(table(columns, rows, total=total, summary=summary, caption=caption, notes=notes, digits=digits))


def table(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[Any]],
    *,
    total: int | None = None,
    summary: Sequence[ColumnSummary] | None = None,
    caption: str = "",
    notes: Sequence[str] = (),
    digits: int | None = None,
) -> str:
    """Returns a table of values as markup.

    Args:
        columns: names, or `Column`s; for a name, the values determine whether the column is numeric.
        rows: values by column; None is no value.
        total: the number of all rows, if `rows` are only the first.
        summary: figures of all rows, by column.
        caption: the table's title, also for screen readers.
        notes: sentences below the controls.
        digits: significant digits of fractions; None shows them in full.
    """
    lines = [list(row) for row in rows]
    names = [each.name if isinstance(each, Column) else str(each) for each in columns]
    values = [[row[index] if index < len(row) else None for row in lines] for index in range(len(names))]
    found = [
        each if isinstance(each, Column) else Column(name, _are_numbers(column))
        for each, name, column in zip(columns, names, values, strict=True)
    ]
    cells = [[_cell(value, digits) for value in column] for column in values]
    return _component(found, cells, len(lines) if total is None else total, summary, caption, notes)


def _are_numbers(values: Iterable[Any]) -> bool:
    kinds = [not isinstance(value, bool) and isinstance(value, int | float) for value in values if value is not None]
    return bool(kinds) and all(kinds)


def _cell(value: Any, digits: int | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and digits is not None:
        return html.number(value, digits) or str(value)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list | bool) else str(value)


def show_source(
    source: str,
    source_uri: str = "",
    *,
    how: How | None = None,
    columns: Sequence[str] = (),
    max_rows: int = 10_000,
) -> tuple[int, int]:
    """Displays the first rows of a source, and figures of all; returns the total numbers of rows and columns.

    Args:
        source: the source.
        source_uri: its address, for people.
        how: what a person specifies about the file.
        columns: which to show, in that order; empty for all.
        max_rows: the number of rows in the page.

    Raises:
        ValueError: the source is not a table, or lacks a column; the text is for people.
    """
    from . import cells, notes, summaries, tabular

    found = tabular.read(source, source_uri, how)
    for name in columns:
        found.require(name)
    known = list(columns or found.names)
    names = known[:MAX_COLUMNS]
    if len(names) < len(known):
        found.notes.add(
            f"The file has {len(known):,} columns; the first {MAX_COLUMNS} are shown. To see others, name them."
        )
    shown = cells.cut(cells.head_texts(found, max_rows, names), _MAX_BYTES)
    summary = summaries.summarize(found, names)
    head = [
        Column(name, each.kind == "number", found.readings.get(name, ""))
        for name, each in zip(names, summary, strict=True)
    ]
    html.show(_component(head, [series.to_list() for series in shown.get_columns()], found.total, summary, "", ()))
    notes.show(found.notes)
    return found.total, len(found.names)


def _component(
    columns: Sequence[Column],
    cells: Sequence[Sequence[str | None]],
    total: int,
    summary: Sequence[ColumnSummary] | None,
    caption: str,
    notes: Sequence[str],
) -> str:
    here = len(cells[0]) if cells else 0
    payload: Mapping[str, Any] = {
        "columns": [
            {"name": column.name, "number": column.is_number, **({"mark": column.mark} if column.mark else {})}
            for column in columns
        ],
        "cells": cells,
        "total": total,
        "caption": caption,
        "notes": list(notes),
        "summary": [asdict(each) for each in summary or ()],
    }
    return html.component(
        "datatable", html.json_of_texts(payload), inner=_inner(columns, cells, here, total, caption, notes)
    )


def _inner(
    columns: Sequence[Column],
    cells: Sequence[Sequence[str | None]],
    here: int,
    total: int,
    caption: str,
    notes: Sequence[str],
) -> str:
    """Returns the first rows, for readers without scripts."""
    words = caption or f"{total:,} rows, {len(columns):,} columns; the first of them"
    head = [column.name[:_SHOWN_CHARS] for column in columns[:_SHOWN_COLUMNS]]
    shown = [[_short(column[at]) for column in cells[:_SHOWN_COLUMNS]] for at in range(min(here, _SHOWN_ROWS))]
    said = "".join(f'<p class="vk-muted">{html.text(each)}</p>' for each in notes)
    return html.table(head, shown, caption=words, numbers=False) + said


def _short(value: str | None) -> str:
    return "" if value is None else value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…"
