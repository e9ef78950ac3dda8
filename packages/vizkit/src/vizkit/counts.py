"""Counting what was predicted for what was true, from rows, from counts of pairs, or from a whole matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from . import labels as known_labels
from .notes import Notes, counted, left_out, listed
from .predictions import TARGET_COLUMNS, WEIGHT_COLUMNS, numbers
from .tabular import How, Table, read

MAX_CLASSES: Final = 3000
PREDICTED_COLUMNS: Final = (
    "predicted", "prediction", "y_pred", "pred", "predicted_class", "predicted_label", "y_hat", "yhat", "predictions",
    "pred_label", "pred_class", "guess", "predict",
)  # fmt: skip
COUNT_COLUMNS: Final = ("count", "counts", "n", "freq", "frequency", "number")
_ALL: Final = ("all", "total", "sum")
_LAYOUTS: Final = ("rows", "pairs", "matrix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A confusion matrix.

    Attributes:
        counts: a square array, its rows the truth.
        notes: what was assumed, and what is left out.
    """

    labels: list[str]
    counts: Any
    notes: Notes


def read_counts(source: str, source_uri: str, variables: Mapping[str, Any]) -> Counted:
    """Returns the confusion matrix that a source holds in any form.

    Args:
        variables: layout, target_column, predicted_column, count_column, labels; all may be missing.

    Raises:
        ValueError: a column is not there, counts are none, no row is left, or the form is not certain.
    """
    table = read(source, source_uri, How.of(variables))
    layout = variables.get("layout") if variables.get("layout") in _LAYOUTS else _layout(table, variables)
    if layout == "matrix":
        labels, counts = _of_matrix(table, list(variables.get("labels") or []))
        labels, counts = pick(labels, counts, variables.get("labels") or [])
        if not counts.sum() > 0:
            raise ValueError("The matrix holds no counts.")
        return Counted(labels=labels, counts=counts, notes=table.notes)
    return _of_rows(table, variables, are_pairs=layout == "pairs")


# --- Which form it is -------------------------------------------------------------------------------------------


def _columns(table: Table, variables: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the columns of truth and prediction; "" where they are not found."""
    given = [str(variables.get(f"{name}_column") or "") for name in ("target", "predicted")]
    usual = (TARGET_COLUMNS, PREDICTED_COLUMNS)
    found = []
    for name, default, names in zip(given, ("target", "predicted"), usual, strict=True):
        if name in table.names:
            found.append(name)
        elif name in {"", default}:
            found.append(table.find(each for each in names if each not in {column.casefold() for column in found}))
        else:
            table.require(name)
    return found[0], found[1]


def _layout(table: Table, variables: Mapping[str, Any]) -> str:
    """Returns rows, pairs or matrix, where the columns and their values leave no doubt.

    Raises:
        ValueError: they leave some; the text says how to end it.
    """
    target, predicted = _columns(table, variables)
    if target and predicted:
        return "rows"
    if table.total > MAX_CLASSES or len(table.names) > MAX_CLASSES + 1:
        table.require(str(variables.get("predicted_column") or "predicted") if target else "target")
    is_square = _matrix_columns(table) is not None
    are_pairs = not table.has_header and _may_be_pairs(table)
    if is_square and are_pairs:
        raise ValueError(
            f"The file may be a matrix of {counted(table.total, 'class', 'classes')}, or rows of target and predicted "
            "class: set layout to matrix, pairs or rows."
        )
    if is_square:
        return "matrix"
    if are_pairs:
        return "pairs" if len(table.names) > 2 else "rows"
    table.require((variables.get("predicted_column") if target else variables.get("target_column")) or "target")
    return "rows"


def _may_be_pairs(table: Table) -> bool:
    """Whether the first two columns hold classes of one kind, and a third one counts; names are none."""
    if len(table.names) not in {2, 3}:
        return False
    rows = table.collect()
    (true_codes, codes), _ = known_labels.coded(rows.to_series(0), rows.to_series(1))
    ours, theirs = set(true_codes.tolist()), set(codes.tolist())
    if not (ours <= theirs or theirs <= ours):
        return False
    if len(table.names) == 2:
        return True
    return _are_counts(rows.to_series(2)) and not rows.select(rows.columns[:2]).is_duplicated().any()


def _are_counts(column: pl.Series) -> bool:
    return column.dtype.is_numeric() and column.null_count() == 0 and bool((column >= 0).all())


def _matrix_columns(table: Table) -> tuple[str, list[str]] | None:
    """Returns the column of labels ("" for none) and those of counts, where a table is square; None where it is not."""
    rows = table.collect()
    if rows.height > MAX_CLASSES + 1 or rows.height < 2:
        return None
    numeric = [name for name in rows.columns if _are_counts(rows.get_column(name))]
    others = [name for name in rows.columns if name not in numeric]
    if not others and len(numeric) == rows.height:
        return "", numeric
    # The names of rows and columns have to be those of the same classes, which need not all occur on both sides.
    for name in others if len(others) == 1 else rows.columns if not others else ():
        counts = [each for each in rows.columns if each != name]
        column = rows.get_column(name)
        labels = {str(known_labels.label_of(each)) for each in column.to_list()}
        shared = sum(any(known_labels.same(each, label) for label in labels) for each in counts)
        if not column.is_duplicated().any() and counts and shared >= max(1, min(len(counts), len(labels)) // 2):
            return name, counts
    return None


# --- A whole matrix ---------------------------------------------------------------------------------------------


def _of_matrix(table: Table, names: list[str]) -> tuple[list[str], Any]:
    found = _matrix_columns(table)
    if found is None:
        raise ValueError(f"The file is no square of counts with one row and one column a class. {table.describe()}")
    name, columns = found
    rows = table.collect()
    counts = rows.select(pl.col(each).cast(pl.Float64) for each in columns).to_numpy()
    if name:
        row_labels = [str(known_labels.label_of(each)) for each in rows.get_column(name).to_list()]
        labels, counts = _aligned(row_labels, columns, counts, table.notes)
    elif table.has_header and not all(each.startswith("column_") for each in columns):
        labels = columns
    else:
        labels = names if len(names) == len(columns) else [str(at) for at in range(len(columns))]
        if labels != names:
            table.notes.add(
                f"The file names no classes: they are called 0 to {len(labels) - 1} in its order. Name them in labels."
            )
    table.notes.add("Rows of the matrix are taken for the true classes, columns for the predicted ones.")
    if not np.equal(counts, np.round(counts)).all() and counts.max() <= 1:
        table.notes.add("The matrix holds shares and no counts: figures are as of classes that are equally frequent.")
    return labels, counts


def _aligned(rows: list[str], columns: Sequence[str], counts: Any, notes: Notes) -> tuple[list[str], Any]:
    """Returns a matrix with the same labels down and across; sums at its ends are left out."""
    keep_rows = [at for at, label in enumerate(rows) if label.casefold() not in _ALL]
    keep_columns = [at for at, label in enumerate(columns) if label.casefold() not in _ALL]
    if len(keep_rows) < len(rows) or len(keep_columns) < len(columns):
        notes.add("The sums at the ends of rows and columns are left out.")
    labels = [rows[at] for at in keep_rows]
    for at in keep_columns:
        if not any(known_labels.same(each, columns[at]) for each in labels):
            labels.append(columns[at])
    place = {
        at: next(n for n, each in enumerate(labels) if known_labels.same(each, columns[at])) for at in keep_columns
    }
    whole = np.zeros((len(labels), len(labels)))
    for row, at in enumerate(keep_rows):
        for column in keep_columns:
            whole[row, place[column]] += counts[at, column]
    return labels, whole


# --- Rows -------------------------------------------------------------------------------------------------------


def _of_rows(table: Table, variables: Mapping[str, Any], *, are_pairs: bool) -> Counted:
    target, predicted = _columns(table, variables) if table.has_header else ("", "")
    if not (target and predicted):
        if len(table.names) < 2 or (table.has_header and not are_pairs):
            table.require(str(variables.get("target_column") or "target"))
        target, predicted = table.names[:2]
        table.notes.add(
            f"The columns are taken for target, predicted{' and count' if are_pairs else ''} in this order."
        )
    elif (target, predicted) != ("target", "predicted"):
        table.notes.add(f'The truth is taken from the column "{target}", the prediction from "{predicted}".')
    count_name = _count_column(table, variables, target, predicted, are_pairs=are_pairs)
    rows = table.collect([name for name in (target, predicted, count_name) if name])
    for name, what in ((target, "true classes"), (predicted, "predicted classes")):
        known_labels.question_scores(rows.get_column(name), what)
    (true_codes, codes), found = known_labels.coded(rows.get_column(target), rows.get_column(predicted))
    weights = _weights(rows, count_name)
    labels, place = _chosen(found, [str(each) for each in variables.get("labels") or []])
    i, j = place[true_codes], place[codes]
    is_whole, is_chosen = (true_codes >= 0) & (codes >= 0), (i >= 0) & (j >= 0)
    _say_left_out(table.notes, weights, is_whole, is_chosen)
    n = len(labels)
    flat = (i * n + j)[is_chosen & is_whole]
    counts = np.bincount(flat, weights=weights[is_chosen & is_whole], minlength=n * n).reshape(n, n)
    if not counts.sum() > 0:
        raise ValueError("No row has both a target and a prediction among the labels.")
    return Counted(labels=labels, counts=counts, notes=table.notes)


def _count_column(table: Table, variables: Mapping[str, Any], target: str, predicted: str, *, are_pairs: bool) -> str:
    given = str(variables.get("count_column") or "")
    if given:
        table.require(given)
        return given
    if are_pairs and not table.has_header and len(table.names) > 2:
        return table.names[2]
    if table.find(WEIGHT_COLUMNS):
        table.notes.add(
            f'Every row counts once; to weight rows, give "{table.find(WEIGHT_COLUMNS)}" as the count column.'
        )
    found = table.find(COUNT_COLUMNS)
    if not found or found in {target, predicted}:
        return ""
    rows = table.collect([target, predicted, found])
    # Counts are of pairs, so that no pair occurs twice.
    if _are_counts(rows.get_column(found)) and not rows.select([target, predicted]).is_duplicated().any():
        table.notes.add(f'How often each pair occurs is taken from the column "{found}".')
        return found
    table.notes.add(
        f'Every row counts once; the column "{found}" is not used. Give it as the count column if it should be.'
    )
    return ""


def _weights(rows: pl.DataFrame, name: str) -> Any:
    if not name:
        return np.ones(rows.height)
    found = numbers(rows, name)
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(f'Column "{name}" holds something that is no count.')
    return found


def _chosen(found: list[str], wanted: Sequence[str]) -> tuple[list[str], Any]:
    """Returns the labels to show, and for each label found its place among them; -1 where it is not shown, or none."""
    labels = list(dict.fromkeys(wanted)) or found
    if wanted and not any(known_labels.same(each, label) for each in found for label in wanted):
        raise ValueError(f"None of the labels is in the file. Classes found: {known_labels.names_of(found)}.")
    if len(labels) > MAX_CLASSES:
        raise ValueError(f"{len(labels):,} classes are too many to draw; name up to {MAX_CLASSES:,} in labels.")
    if not wanted:
        return labels, np.append(np.arange(len(found)), -1)
    places = [next((at for at, label in enumerate(labels) if known_labels.same(each, label)), -1) for each in found]
    return labels, np.array([*places, -1], dtype=np.int64)


def _say_left_out(notes: Notes, weights: Any, is_whole: Any, is_chosen: Any) -> None:
    empty, others = float(weights[~is_whole].sum()), float(weights[is_whole & ~is_chosen].sum())
    notes.add(left_out(empty, "without a target or a prediction"))
    notes.add(left_out(others, "of other classes"))


def pick(labels: Sequence[str], counts: Any, wanted: Sequence[str]) -> tuple[list[str], Any]:
    """Returns a matrix of some of its labels, in their order; all of them where none is wanted.

    Raises:
        ValueError: none of them is there.
    """
    places = [(at, each) for each in wanted for at, label in enumerate(labels) if known_labels.same(label, each)]
    kept = [at for at, _ in places] if wanted else list(range(len(labels)))
    if not kept:
        raise ValueError(f"None of the labels is in these metrics. They hold: {listed(labels, 20)}.")
    return [labels[at] for at in kept], counts[np.ix_(kept, kept)]
