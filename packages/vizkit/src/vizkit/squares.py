"""Complete confusion matrices: a square of counts or shares, with or without class names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from . import labels as known_labels
from . import tabular
from .notes import Notes, listed
from .predictions import PREDICTED_COLUMNS, TARGET_COLUMNS
from .tabular import Table, kinds

MAX_CLASSES: Final = 3000
_SUMS: Final = (
    "all",
    "total",
    "sum",
    "totals",
    "sums",
    "grand total",
    "row total",
    "column total",
    "margin",
    "margins",
)
_SIDE: Final = re.compile(
    r"(?:(true|truth|actual|real|observed|reference|target)|pred|predict|predicted|prediction)(?:[ _]?(?:class|label))?"
    r"[\s_:=.-]+(.+)",
    re.IGNORECASE,
)
_CELLS: Final = ("tn", "fp", "fn", "tp")
_NAMES: Final = ("labels", "classes", "class_names", "target_names", "class_labels", "label_names", "categories")
_DEPTH: Final = 4

# Labels ("" if the file names none) and counts, with the true classes as rows.
Square = tuple[list[str], Any]


def are_counts(column: pl.Series) -> bool:
    """Whether a column contains only non-negative numbers."""
    return column.dtype.is_numeric() and column.null_count() == 0 and bool((column >= 0).all())


# --- In a table -------------------------------------------------------------------------------------------------


def find(table: Table) -> tuple[str, list[str]] | None:
    """Returns the column of labels ("" for none) and those of counts, if a table is square; None if it is not."""
    rows = table.collect()
    if _is_row_of_cells(table):
        return "", list(table.names)
    if rows.height > MAX_CLASSES + 1 or rows.height < 2:
        return None
    numeric = [name for name in rows.columns if are_counts(rows.get_column(name))]
    others = [name for name in rows.columns if name not in numeric]
    if not others and len(numeric) == rows.height:
        # A table whose header names truth or prediction holds rows, however many there are.
        are_rows = table.has_header and (table.find(TARGET_COLUMNS) or table.find(PREDICTED_COLUMNS))
        return None if are_rows else ("", numeric)
    # The names of rows and columns must denote the same classes, which need not all occur on both sides.
    for name in others if len(others) == 1 else rows.columns if not others else ():
        counts = [each for each in rows.columns if each != name]
        column = rows.get_column(name)
        labels, heads = _bare(_texts(column))[0], _bare(counts)[0]
        shared = sum(any(known_labels.same(each, label) for label in set(labels)) for each in heads)
        if not column.is_duplicated().any() and counts and shared >= max(1, min(len(counts), len(labels)) // 2):
            return name, counts
    return None


def of_table(table: Table) -> Square:
    """Returns the matrix in a table.

    Raises:
        ValueError: the table is not a matrix; the text is for people.
    """
    found = find(table)
    if found is None:
        raise ValueError(
            f"The file is not a square of counts with one row and one column per class. {table.describe()}"
        )
    name, columns = found
    rows = table.collect()
    if _is_row_of_cells(table):
        cells = {each.casefold(): float(rows.get_column(each)[0]) for each in columns}
        return ["negative", "positive"], np.array([[cells["tn"], cells["fp"]], [cells["fn"], cells["tp"]]])
    counts = rows.select(pl.col(each).cast(pl.Float64) for each in columns).to_numpy()
    if not name:
        has_names = table.has_header and not all(each.startswith("column_") for each in columns)
        labels = _bare(columns)[0] if has_names else [""] * len(columns)
        table.notes.add("Rows of the matrix are read as true classes, columns as predicted classes.")
        return _without_sums(labels, labels, counts, table.notes)[1:]
    row_labels, row_side = _bare(_texts(rows.get_column(name)))
    column_labels, column_side = _bare(columns)
    row_labels, column_labels, counts = _without_sums(row_labels, column_labels, counts, table.notes)
    labels, counts = _aligned(row_labels, column_labels, counts, table.notes)
    return labels, counts if _is_upright(name, row_side, column_side, table.notes) else counts.T


def _is_row_of_cells(table: Table) -> bool:
    return table.has_header and table.total == 1 and sorted(map(str.casefold, table.names)) == sorted(_CELLS)


def _texts(column: pl.Series) -> list[str]:
    return [str(known_labels.label_of(each)) for each in column.to_list()]


def _bare(labels: Sequence[str]) -> tuple[list[str], str]:
    """Returns labels without the words that name their side, as in "true cat", and the side: true or predicted."""
    matches = [_SIDE.fullmatch(each.strip()) for each in labels]
    found = [match for match in matches if match]
    sides = {"true" if match[1] else "predicted" for match in found}
    if len(sides) != 1 or any(
        match is None and each.casefold() not in _SUMS for match, each in zip(matches, labels, strict=True)
    ):
        return list(labels), ""
    return [match[2] if match else each for match, each in zip(matches, labels, strict=True)], sides.pop()


def _is_upright(name: str, row_side: str, column_side: str, notes: Notes) -> bool:
    """Whether rows are the true classes, as in scikit-learn, unless a name says otherwise."""
    is_predicted = re.sub(r"[\s\-.]+", "_", name.strip().casefold()) in PREDICTED_COLUMNS
    if row_side == "predicted" or column_side == "true" or (is_predicted and not row_side):
        notes.add("Rows of the matrix are predicted classes, columns are true classes, according to their names.")
        return False
    notes.add("Rows of the matrix are read as true classes, columns as predicted classes.")
    return True


def _without_sums(
    rows: Sequence[str], columns: Sequence[str], counts: Any, notes: Notes
) -> tuple[list[str], list[str], Any]:
    """Returns a matrix without the sums at its ends, recognized by their names or else by their values."""
    keep_rows = [at for at, label in enumerate(rows) if label.casefold() not in _SUMS]
    keep_columns = [at for at, label in enumerate(columns) if label.casefold() not in _SUMS]
    if len(keep_rows) == len(rows) and len(keep_columns) == len(columns) and _ends_in_sums(counts):
        keep_rows, keep_columns = keep_rows[:-1], keep_columns[:-1]
    if len(keep_rows) < len(rows) or len(keep_columns) < len(columns):
        notes.add("Row and column totals are left out.")
    kept = counts[np.ix_(keep_rows, keep_columns)]
    return [rows[at] for at in keep_rows], [columns[at] for at in keep_columns], kept


def _ends_in_sums(counts: Any) -> bool:
    if min(counts.shape) < 3 or not counts[-1].all() or not counts[:, -1].all():
        return False
    down = np.allclose(counts[:-1].sum(axis=0), counts[-1])
    return bool(down and np.allclose(counts[:, :-1].sum(axis=1), counts[:, -1]))


def _aligned(rows: list[str], columns: Sequence[str], counts: Any, notes: Notes) -> Square:
    """Returns a matrix with the same labels for rows and columns."""
    labels = [*rows]
    for each in columns:
        if not any(known_labels.same(label, each) for label in labels):
            labels.append(each)
    place = [next(n for n, label in enumerate(labels) if known_labels.same(label, each)) for each in columns]
    whole = np.zeros((len(labels), len(labels)))
    for row in range(len(rows)):
        for at, column in enumerate(place):
            whole[row, column] += counts[row, at]
    for what, lacking in (
        ("row", labels[len(rows) :]),
        ("column", [e for n, e in enumerate(labels) if n not in place]),
    ):
        if lacking:
            notes.add(f"The matrix has no {what} for {listed(lacking, 5)}; it counts as zeros.")
    return labels, whole


# --- In JSON ----------------------------------------------------------------------------------------------------


def of_json(source: str, notes: Notes) -> Square | None:
    """Returns the matrix in a JSON object, such as a report of metrics; None if there is none."""
    path = Path(source)
    if not path.is_file() or kinds.head_of(path).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return None
    try:
        found = tabular.load_json(path)
    except ValueError:
        return None
    held = _held(found, _DEPTH)
    if held is None:
        return None
    name, counts, labels = held
    notes.add(f'The matrix is that of "{name}".')
    notes.add("Rows of the matrix are read as true classes, columns as predicted classes.")
    return labels, counts


def _held(found: Any, depth: int) -> tuple[str, Any, list[str]] | None:
    # The format of pandas is a table.
    if not isinstance(found, Mapping) or depth == 0 or {"columns", "data"} <= set(found):
        return None
    for name, each in found.items():
        if _is_square(each):
            named = (found[key] for key in _NAMES if isinstance(found.get(key), list))
            labels = next((list(map(str, labels)) for labels in named if len(labels) == len(each)), [""] * len(each))
            return str(name), np.array(each, dtype=float), labels
    return next((inner for each in found.values() if (inner := _held(each, depth - 1))), None)


def _is_square(value: Any) -> bool:
    if not isinstance(value, list) or not 1 < len(value) <= MAX_CLASSES:
        return False
    return all(
        isinstance(row, list)
        and len(row) == len(value)
        and all(type(each) in {int, float} and each >= 0 for each in row)
        for row in value
    )


# --- Names and shares -------------------------------------------------------------------------------------------


def named(labels: list[str], counts: Any, names: list[str], notes: Notes) -> Square:
    """Returns a matrix with class names: the given ones if the file has none, else numbers."""
    if any(labels):
        return labels, counts
    if len(names) == len(labels):
        return names, counts
    notes.add(f"The file names no classes, so they are called 0 to {len(labels) - 1}. Name them in labels.")
    return [str(at) for at in range(len(labels))], counts


def say_shares(counts: Any, notes: Notes) -> bool:
    """Returns whether a matrix contains shares or percentages, and notes which, with the consequences."""
    if np.equal(counts, np.round(counts)).all() and counts.sum() > 1:
        return False
    down, across = counts.sum(axis=1), counts.sum(axis=0)
    for whole in (1.0, 100.0):
        if np.isclose(counts.sum(), whole, atol=whole * 0.02):
            notes.add("The matrix holds shares of all rows, not counts.")
            return True
        for sums, what, means in (
            (down, "true class", "assume that classes are equally frequent"),
            (across, "predicted class", "assume that classes are predicted equally often"),
        ):
            if np.allclose(sums[sums > 0], whole, atol=whole * 0.02):
                notes.add(f"The matrix holds shares of each {what}, not counts: figures {means}.")
                return True
    return False
