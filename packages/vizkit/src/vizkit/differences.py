"""Differences of saved results from the first: key figures, tables by cell, texts by line, pictures and curves."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import html, notes
from .saved_results import Figure, SavedTable

# Different ways to compute a figure differ in its last digits, which is irrelevant.
_NOISE: Final = 1e-9
_MOST_ROWS: Final = 500
_MOST_LINES: Final = 400
_MOST_COLUMNS: Final = 40
_MOST_CHARS: Final = 200

Row = Sequence[str | None]
State = Literal["changed", "added", "removed"]


def figure_effect(value: float, first: float, better: str) -> str:
    """Returns how a figure changed from the first result: "same", "better", "worse", or "changed" if neither."""
    delta = value - first
    if abs(delta) <= _NOISE * max(abs(value), abs(first)):
        return "same"
    if better not in {"higher", "lower"}:
        return "changed"
    return "better" if (delta > 0) == (better == "higher") else "worse"


def figures_table(results: Sequence[Mapping[str, Figure]]) -> tuple[str, int]:
    """Returns a table with the key figures of all results, and how many differ from the first's."""
    names = list(dict.fromkeys(name for each in results for name in each))
    changed, lines = 0, []
    for name in names:
        first = results[0].get(name)
        cells = []
        for place, each in enumerate(results):
            own = each.get(name)
            markup, is_changed = _figure_cell(own, first, is_first=not place)
            changed += is_changed
            cells.append(markup)
        lines.append(f'<tr><th scope="row">{html.text(name)}</th>{"".join(cells)}</tr>')
    if not names:
        return "", 0
    head = "".join(f'<th scope="col">{number}</th>' for number in range(1, len(results) + 1))
    return _wrapped("Key figures", f'<thead><tr><th scope="col">Figure</th>{head}</tr></thead>', lines), changed


def _figure_cell(own: Figure | None, first: Figure | None, *, is_first: bool) -> tuple[str, bool]:
    if own is None:
        return '<td class="vk-muted">none</td>', first is not None
    said = f"{html.number(own.value, 6)} {own.unit}".strip()
    if is_first:
        return f"<td>{html.text(said)}</td>", False
    if first is None or first.unit != own.unit:
        return f"<td>{html.text(said)} <ins>new</ins></td>", True
    effect = figure_effect(own.value, first.value, own.better)
    if effect == "same":
        return f"<td>{html.text(said)}</td>", False
    delta = own.value - first.value
    word = "" if effect == "changed" else f", {effect}"
    shown = f"{delta:+,.4g}" if math.isfinite(delta) else ""
    return (
        f'<td class="vk-{effect}">{html.text(said)} <span class="vk-delta">{html.text(shown + word)}</span></td>',
        True,
    )


@dataclass(frozen=True)
class RowChange:
    """A row that differs between the two tables.

    Attributes:
        old, new: its cells by the columns of the difference; empty if the row is missing.
    """

    state: State
    old: Row
    new: Row


@dataclass(frozen=True)
class TableDifference:
    """The difference of a table from the first result's.

    Attributes:
        key: the columns that identify rows; () compares rows by position.
        columns: those of both, then those that only the first has, then those that only the other has.
        added_columns, removed_columns: names.
        rows: all changed ones.
        cells: the number of changed cells in rows that both tables have.
    """

    key: tuple[str, ...]
    columns: list[str]
    added_columns: list[str]
    removed_columns: list[str]
    rows: list[RowChange]
    cells: int

    def count(self, state: State) -> int:
        """Returns the number of rows that were changed, added or removed."""
        return sum(each.state == state for each in self.rows)

    @property
    def total(self) -> int:
        """The number of differences."""
        whole = len(self.added_columns) + len(self.removed_columns)
        return self.cells + self.count("added") + self.count("removed") + whole


def table_difference(first: SavedTable, other: SavedTable, key: Sequence[str] = ()) -> TableDifference:
    """Compares two tables row by row.

    Args:
        first: the first result's.
        other: the other result's.
        key: the columns that identify rows; empty for the first shared column whose values are all distinct.

    Raises:
        ValueError: a column of the key is missing, or its values repeat; the text is for people.
    """
    shared = [name for name in first.columns if name in other.columns]
    used = _key_checked(first, other, key) if key else _key_found(first, other, shared)
    removed = [name for name in first.columns if name not in shared]
    added = [name for name in other.columns if name not in shared]
    old, new = _keyed(first, used, shared), _keyed(other, used, shared)
    rows, cells = [], 0
    for name, row in old.items():
        twin = new.get(name)
        if twin is None:
            rows.append(RowChange("removed", row, ()))
        elif row != twin:
            rows.append(RowChange("changed", row, twin))
            cells += sum(a != b for a, b in zip(row, twin, strict=True))
    rows += [RowChange("added", (), row) for name, row in new.items() if name not in old]
    return TableDifference(used, shared, added, removed, rows, cells)


def _key_checked(first: SavedTable, other: SavedTable, key: Sequence[str]) -> tuple[str, ...]:
    for table in (first, other):
        for name in key:
            if name not in table.columns:
                raise ValueError(f'There is no column "{name}". Columns found: {notes.listed(table.columns, 40)}.')
        if any(count > 1 for count in Counter(_values(table, key)).values()):
            raise ValueError(
                f"The values of {notes.listed(key)} repeat, so they do not identify rows. Name more columns."
            )
    return tuple(key)


def _key_found(first: SavedTable, other: SavedTable, shared: Sequence[str]) -> tuple[str, ...]:
    for name in shared:
        values = [_values(table, (name,)) for table in (first, other)]
        if all(len(set(each)) == len(each) and (None,) not in each for each in values) and set(values[0]) & set(
            values[1]
        ):
            return (name,)
    return ()


def _values(table: SavedTable, names: Sequence[str]) -> list[tuple[str | None, ...]]:
    places = [table.columns.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in table.rows]


def _keyed(table: SavedTable, key: Sequence[str], names: Sequence[str]) -> dict[Any, Row]:
    rows = _values(table, names)
    return dict(zip(_values(table, key), rows, strict=True)) if key else dict(enumerate(rows))


def table_markup(found: TableDifference, caption: str) -> str:
    """Returns the rows that differ, with old and new value in changed cells; "" if there are none."""
    columns = found.columns[:_MOST_COLUMNS]
    head = "".join(f'<th scope="col">{html.text(name[:_MOST_CHARS])}</th>' for name in columns)
    lines = ["".join(("<tr>", *_row_cells(each, len(columns)), "</tr>")) for each in found.rows[:_MOST_ROWS]]
    if not lines:
        return ""
    cut = f": the first {_MOST_ROWS:,} of {len(found.rows):,} rows that differ" if len(found.rows) > _MOST_ROWS else ""
    return _wrapped(caption + cut, f'<thead><tr><th scope="col">Row</th>{head}</tr></thead>', lines)


def _row_cells(row: RowChange, width: int) -> Iterator[str]:
    yield f'<th scope="row" class="vk-{row.state}">{row.state}</th>'
    if row.state != "changed":
        tag = "ins" if row.state == "added" else "del"
        for value in (row.new or row.old)[:width]:
            yield f"<td><{tag}>{_cell(value)}</{tag}></td>"
        return
    for old, new in zip(row.old[:width], row.new[:width], strict=True):
        if old == new:
            yield f"<td>{_cell(new)}</td>"
        else:
            yield f'<td class="vk-cell-changed"><del>{_cell(old)}</del> <ins>{_cell(new)}</ins></td>'


def _cell(value: str | None) -> str:
    if value is None:
        return '<span class="vk-muted">none</span>'
    return html.text(value if len(value) <= _MOST_CHARS else value[:_MOST_CHARS] + "…")


def text_markup(first: str, other: str) -> tuple[str, int]:
    """Returns two texts as one with removed and added lines marked, and the number of differing lines."""
    old, new = first.splitlines(), other.splitlines()
    lines = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:] if old != new else []
    count = sum(line[:1] in {"+", "-"} for line in lines)
    shown = [
        f"<{tag}>{html.text(line)}</{tag}>" if (tag := {"+": "ins", "-": "del"}.get(line[:1])) else html.text(line)
        for line in lines[:_MOST_LINES]
    ]
    return (f'<pre class="vk-diff" tabindex="0">{chr(10).join(shown)}</pre>', count) if lines else ("", 0)


def _wrapped(caption: str, head: str, lines: Sequence[str]) -> str:
    return (
        f'<div class="vk-scroll" tabindex="0" role="region" aria-label="{html.text(caption)}"><table class="vk-table">'
        f"<caption>{html.text(caption)}</caption>{head}<tbody>{''.join(lines)}</tbody></table></div>"
    )
