"""Counts predicted classes by true class, from rows, from counts of pairs, or from a whole matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from . import labels as known_labels
from . import squares
from .notes import Notes, counted, left_out, listed
from .predictions import PREDICTED_COLUMNS, TARGET_COLUMNS, WEIGHT_COLUMNS, numbers
from .squares import MAX_CLASSES
from .tabular import How, Table, read

COUNT_COLUMNS: Final = ("count", "counts", "n", "freq", "frequency", "number", "cnt", "value", "support", "occurrences")
_LAYOUTS: Final = ("rows", "pairs", "matrix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A confusion matrix.

    Attributes:
        counts: a square array with the true classes as rows.
        notes: what was assumed and left out.
        are_shares: whether the counts are shares of classes or of all rows, whose number is unknown.
    """

    labels: list[str]
    counts: Any
    notes: Notes
    are_shares: bool = False


def read_counts(source: str, source_uri: str, variables: Mapping[str, Any]) -> Counted:
    """Returns the confusion matrix of a source in any supported layout.

    Args:
        source: the source.
        source_uri: its address, for people.
        variables: layout, target_column, predicted_column, count_column, labels; all may be missing.

    Raises:
        ValueError: a column is missing, counts are invalid, no row is left, or the layout is ambiguous.
    """
    notes = Notes()
    found = squares.of_json(source, notes) if variables.get("layout") not in {"rows", "pairs"} else None
    if found is None:
        table = read(source, source_uri, How.of(variables))
        notes = table.notes
        layout = variables.get("layout") if variables.get("layout") in _LAYOUTS else _layout(table, variables)
        if layout != "matrix":
            return _of_rows(table, variables, are_pairs=layout == "pairs")
        found = squares.of_table(table)
    names = [str(each) for each in variables.get("labels") or []]
    labels, counts = squares.named(*found, names, notes)
    labels, counts = pick(labels, counts, names)
    if not counts.sum() > 0:
        raise ValueError("The matrix holds no counts.")
    return Counted(labels=labels, counts=counts, notes=notes, are_shares=squares.say_shares(found[1], notes))


# --- Layout -----------------------------------------------------------------------------------------------------


def _columns(table: Table, variables: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the columns of truth and prediction; "" for those not found."""
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
    """Returns rows, pairs or matrix, if the columns and their values make that unambiguous.

    Raises:
        ValueError: the layout is ambiguous; the text says how to resolve that.
    """
    target, predicted = _columns(table, variables)
    if target and predicted:
        return "rows"
    if table.total > MAX_CLASSES or len(table.names) > MAX_CLASSES + 1:
        table.require(str(variables.get("predicted_column") or "predicted") if target else "target")
    is_square = squares.find(table) is not None
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
    name = "predicted" if target else "target"
    table.require(str(variables.get(f"{name}_column") or name))
    return "rows"


def _may_be_pairs(table: Table) -> bool:
    """Whether the first two columns contain the same classes and a third one, if any, counts; ignores their names."""
    if len(table.names) not in {2, 3}:
        return False
    rows = table.collect()
    (true_codes, codes), _ = known_labels.coded(rows.to_series(0), rows.to_series(1))
    ours, theirs = set(true_codes.tolist()), set(codes.tolist())
    if not (ours <= theirs or theirs <= ours):
        return False
    if len(table.names) == 2:
        return True
    return squares.are_counts(rows.to_series(2)) and not rows.select(rows.columns[:2]).is_duplicated().any()


# --- Rows -------------------------------------------------------------------------------------------------------


def _of_rows(table: Table, variables: Mapping[str, Any], *, are_pairs: bool) -> Counted:
    target, predicted = _columns(table, variables) if table.has_header else ("", "")
    if not (target and predicted):
        if len(table.names) < 2 or (table.has_header and not are_pairs):
            table.require(str(variables.get("target_column") or "target"))
        target, predicted = table.names[:2]
        table.notes.add(f"The columns are read as target, predicted{' and count' if are_pairs else ''}, in this order.")
    elif (target, predicted) != ("target", "predicted"):
        table.notes.add(f'The truth is taken from the column "{target}", the prediction from "{predicted}".')
    count_name = _count_column(table, variables, (target, predicted), are_pairs=are_pairs)
    rows = table.collect([name for name in (target, predicted, count_name) if name])
    truth, guesses = rows.get_column(target), rows.get_column(predicted)
    known_labels.question_scores(truth, "true classes")
    known_labels.question_scores(guesses, "predicted classes", beside=truth)
    (true_codes, codes), found = known_labels.coded(truth, guesses)
    _say_strangers(found, true_codes, codes, table.notes)
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


def _count_column(table: Table, variables: Mapping[str, Any], pair: tuple[str, str], *, are_pairs: bool) -> str:
    given = str(variables.get("count_column") or "")
    if given:
        table.require(given)
        return given
    if are_pairs and not table.has_header and len(table.names) > 2:
        return table.names[2]
    if table.find(WEIGHT_COLUMNS):
        table.notes.add(
            f'Every row counts once; to weight rows, set "{table.find(WEIGHT_COLUMNS)}" as the count column.'
        )
        return ""
    found = table.find(COUNT_COLUMNS)
    found = "" if found in pair else found
    if variables.get("layout") == "rows":
        return ""
    # Counts belong to pairs, so no pair may occur twice.
    if not table.collect(list(pair)).is_duplicated().any():
        found = found or _only_counts(table, pair)
        if found and squares.are_counts(table.collect([found]).to_series()):
            table.notes.add(
                f'Column "{found}" is used as the count of each pair. If every row is one prediction, set '
                "layout to rows."
            )
            return found
    if found:
        table.notes.add(f'Every row counts once; column "{found}" is not used. To use it, set it as the count column.')
    return ""


def _only_counts(table: Table, pair: tuple[str, str]) -> str:
    """Returns the only column that may count pairs, whatever its name; "" if there are none or several."""
    rows = table.collect()
    found = []
    for name in table.names:
        column = rows.get_column(name)
        if name in pair or column.dtype.is_float() or not squares.are_counts(column):
            continue
        # A column that increases by one numbers the rows.
        if not (column.diff().drop_nulls() == 1).all():
            found.append(name)
    return found[0] if len(found) == 1 else ""


def _say_strangers(labels: Sequence[str], true_codes: Any, codes: Any, notes: Notes) -> None:
    """Notes classes that occur on one side only, if both sides have some: they may be spelled differently."""
    ours, theirs = set(true_codes.tolist()), set(codes.tolist())
    only_true, only_predicted = (
        [f'"{labels[at]}"' for at in sorted(each) if at >= 0] for each in (ours - theirs, theirs - ours)
    )
    if only_true and only_predicted:
        notes.add(
            f"Only among the true classes: {listed(only_true, 5)}; only among the predicted ones: "
            f"{listed(only_predicted, 5)}. If they are the same classes, use the same spelling."
        )


def _weights(rows: pl.DataFrame, name: str) -> Any:
    if not name:
        return np.ones(rows.height)
    found = numbers(rows, name)
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(f'Column "{name}" contains values that are not counts.')
    return found


def _chosen(found: list[str], wanted: Sequence[str]) -> tuple[list[str], Any]:
    """Returns the labels to show, and for each label found its position among them; -1 if it is not shown."""
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
    """Returns a matrix restricted to some labels, in the given order; unrestricted if none are given.

    Raises:
        ValueError: none of the labels exists.
    """
    places = [(at, each) for each in wanted for at, label in enumerate(labels) if known_labels.same(label, each)]
    kept = [at for at, _ in places] if wanted else list(range(len(labels)))
    if not kept:
        raise ValueError(f"None of the labels is in these metrics. They hold: {listed(labels, 20)}.")
    return [labels[at] for at in kept], counts[np.ix_(kept, kept)]
