"""Rows of predictions: truth and score, for one class or for several."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from . import labels as known_labels
from .class_columns import SCORE_WORDS, class_columns, words_of
from .notes import Notes, counted, left_out
from .tabular import How, Table, floats, read

TARGET_COLUMNS: Final = (
    "target", "y_true", "label", "true_label", "actual", "class", "truth", "ground_truth", "labels", "y", "y_test",
    "outcome", "expected", "target_class", "actual_class", "true_class", "true_labels", "actual_label", "actual_value",
    "target_label", "true_value", "actuals", "measured", "gold", "gold_label", "reference", "observed", "correct", "gt",
    "ytrue", "true",
)  # fmt: skip
PREDICTED_COLUMNS: Final = (
    "predicted", "prediction", "y_pred", "pred", "predicted_class", "predicted_label", "y_hat", "yhat", "predictions",
    "pred_label", "pred_class", "guess", "predict", "predicted_labels", "pred_labels", "predicted_value",
    "prediction_label", "model_prediction", "ypred", "estimate",
)  # fmt: skip
SCORE_COLUMNS: Final = (
    "true", "score", "probability", "prediction", "prob", "proba", "scores", "y_score", "y_prob", "y_pred_proba",
    "y_proba", "pred_proba", "prob_1", "proba_1", "probability_1", "score_1", "p_1", "p1", "prob_true", "prob_positive",
    "predicted_probability", "predicted_proba", "pred_score", "confidence", "logit", "decision_function",
    "y_pred_prob", "y_pred_score", "positive_probability", "prob_pos", "proba_pos", "pred_prob", "pred_prob_1",
    "pred_proba_1", "predicted_score", "model_score", "p", "y_pred", "pred", "predicted", "y_hat", "yhat",
)  # fmt: skip
WEIGHT_COLUMNS: Final = ("sample_weight", "sample_weights", "instance_weight", "example_weight", "row_weight")
_TRUE_VALUES: Final = frozenset({"true", "1", "yes", "positive", "pos"})
_COMPARE: Final = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One class against the rest.

    Attributes:
        truth: booleans, with both values present.
        score: finite numbers.
        weight: of each row, positive; None if all count once.
    """

    label: str
    column: str
    truth: Any
    score: Any
    weight: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The predictions of a source.

    Attributes:
        classes: the only one, or one for each class.
        rows: the number of rows used.
        left_out: rows without a target or a finite score.
        missing: classes that no row or every row has, which therefore have no curve.
        other: the other class, if there are two and the greater one was assumed to be the true one; else "".
        notes: what a person has to know.
    """

    classes: tuple[Scored, ...]
    rows: int
    left_out: int
    missing: tuple[str, ...]
    other: str = ""
    notes: Notes = field(default_factory=Notes)

    def pooled(self) -> tuple[Any, Any, Any]:
        """Returns truth, score and weight of all classes' decisions concatenated, for micro averages."""
        weights = [each.weight for each in self.classes]
        return (
            np.concatenate([each.truth for each in self.classes]),
            np.concatenate([each.score for each in self.classes]),
            None if weights[0] is None else np.concatenate(weights),
        )

    def question_area(self, area: float) -> None:
        """Notes what an area below 0.5 means; suggests the other class, with its area."""
        if len(self.classes) != 1 or not area < 0.5:
            return
        words = f"An area below 0.5 means that scores are lower for {self.classes[0].label} than for the other rows"
        offer = f': choose "{self.other}" as the positive class, and the area is {1 - area:.4f}.' if self.other else "."
        self.notes.add(words + offer)


def read_predictions(source: str, source_uri: str, variables: Mapping[str, Any]) -> Predictions:
    """Reads the predictions of a source; see `predictions`."""
    return predictions(read(source, source_uri, How.of(variables)), variables)


def predictions(table: Table, variables: Mapping[str, Any]) -> Predictions:
    """Returns one class against the rest if `trueclass` or a single score says so, else each class against the rest.

    Args:
        table: the rows.
        variables: target_column, target_operator, trueclass, true_score_column, class_columns; all may be missing.

    Raises:
        ValueError: a column is missing or contains no numbers, or there is only one class.
    """
    name = find_target(table, str(variables.get("target_column") or ""))
    weight_name = table.find(WEIGHT_COLUMNS)
    given = variables.get("true_score_column") or ""
    sign = variables.get("target_operator") or "=="
    wanted = str(variables.get("trueclass") or "")
    rows = table.collect(_needed(table, name, weight_name, str(given), variables.get("class_columns") or []))
    (codes,), labels = known_labels.coded(rows.get_column(name))
    weights = _weights(table, rows, weight_name)
    columns = class_columns(rows, labels, variables.get("class_columns") or [], name, table.notes)
    if columns and len(labels) > 2 and not wanted and not given and sign == "==":
        return _several(rows, codes, labels, columns, weights, table.notes)
    member, label, only = _members(labels, name, wanted, sign)
    column = given or columns.get(only) or _score_column(table, rows, name)
    score = numbers(rows, column)
    known = (codes >= 0) & np.isfinite(score) & (weights > 0 if weights is not None else True)
    truth = member[codes[known]] if len(member) else np.zeros(0, bool)
    if not truth.any() or truth.all():
        raise ValueError(f"No curve: {'every' if truth.any() else 'no'} row has {label}. Check the positive class.")
    one = Scored(
        label=label, column=column, truth=truth, score=score[known], weight=None if weights is None else weights[known]
    )
    other = next((each for each in labels if each != only), "") if len(labels) == 2 and only else ""
    return Predictions(
        classes=(one,), rows=int(known.sum()), left_out=int((~known).sum()), missing=(), other=other, notes=table.notes
    )


def find_target(table: Table, given: str) -> str:
    """Returns the column of the truth: the given one, or one with a usual name.

    Raises:
        ValueError: there is none; the text lists the columns.
    """
    # "target" is the default of the arguments.
    found = given if given in table.names else table.find(TARGET_COLUMNS) if given in {"", "target"} else ""
    if not found:
        table.require(given or "target")
    if found != (given or found):
        table.notes.add(f'The target is taken from the column "{found}".')
    return found


def _needed(table: Table, target: str, weight: str, score: str, classes: Sequence[str]) -> list[str]:
    """Returns the columns to read: those that are named, else also those that may hold scores."""
    if score:
        return [name for name in (target, score, weight) if name]
    if classes:
        return [name for name in (target, *classes, weight) if name]
    return table.names


def _weights(table: Table, rows: pl.DataFrame, name: str) -> Any:
    if not name:
        unused = table.find(("weight", "weights"))
        if unused:
            table.notes.add(f'Column "{unused}" is not used to weight rows. To use it, rename it sample_weight.')
        return None
    found = numbers(rows, name)
    bad = int((~(found > 0) | ~np.isfinite(found)).sum())
    table.notes.add(f'Rows are weighted by the column "{name}".')
    table.notes.add(left_out(bad, "without a positive weight"))
    return np.where(np.isfinite(found), found, 0.0)


def _members(labels: Sequence[str], name: str, wanted: str, sign: str) -> tuple[Any, str, str]:
    """Returns which labels count as true, their description, and the label itself ("" for several)."""
    if not labels:
        raise ValueError(f'Column "{name}" has no values, so no row is positive.')
    if not wanted:
        if len(labels) != 2:
            raise ValueError(
                f'Choose which value of "{name}" is the positive class (trueclass): it has '
                f"{counted(len(labels), 'value')}: {known_labels.names_of(labels, 10)}."
            )
        ordered = sorted(labels, key=lambda label: (label.casefold() in _TRUE_VALUES, labels.index(label)))
        wanted = ordered[-1]
    label = f"{name} {sign} {wanted}"
    if sign in {"==", "!="}:
        member = np.array([known_labels.same(each, wanted) for each in labels], dtype=bool)
        if not member.any():
            raise ValueError(f'No row of "{name}" is {wanted}. Values found: {known_labels.names_of(labels, 10)}.')
        only = next((each for each in labels if known_labels.same(each, wanted)), "")
        return (member if sign == "==" else ~member), label, only if sign == "==" else ""
    try:
        member = np.array([bool(_COMPARE[sign](float(each), float(wanted))) for each in labels], dtype=bool)
    except ValueError:
        raise ValueError(
            f'"{name}" {sign} {wanted}: both sides must be numbers. Values found: {known_labels.names_of(labels, 10)}.'
        ) from None
    return member, label, ""


def _score_column(table: Table, rows: pl.DataFrame, target: str) -> str:
    # "predicted" may contain classes.
    usual = [found for name in SCORE_COLUMNS if (found := table.find([name])) and found != target]
    found = next((each for each in usual if rows.schema[each].is_numeric()), "") or next(iter(usual), "")
    if not found:
        named = [name for name in table.names if name != target and SCORE_WORDS & set(words_of(name))]
        found = named[0] if len(named) == 1 and rows.schema[named[0]].is_numeric() else ""
        table.notes.add(f'Scores are taken from the column "{found}".' if found else "")
    if not found:
        raise ValueError(f"Name the column with the score (true_score_column). {table.describe()}")
    return found


def numbers(rows: pl.DataFrame, name: str) -> Any:
    """Returns a column as floats, NaN for values that are not numbers.

    Raises:
        ValueError: it contains no number.
    """
    column = rows.get_column(name)
    array = floats(column).fill_null(math.nan).to_numpy()
    if not np.isfinite(array).any():
        sample = next((str(each) for each in column.drop_nulls().head(1)), "nothing")
        raise ValueError(f'Column "{name}" holds no numbers; it holds {sample[:40]}.')
    return array


def _several(
    rows: pl.DataFrame, codes: Any, labels: list[str], columns: Mapping[str, str], weights: Any, notes: Notes
) -> Predictions:
    scores = [numbers(rows, columns[label]) for label in labels]
    known = (codes >= 0) & np.logical_and.reduce([np.isfinite(each) for each in scores])
    known &= weights > 0 if weights is not None else True
    codes = codes[known]
    weight = None if weights is None else weights[known]
    classes, missing = [], []
    for place, (label, score) in enumerate(zip(labels, scores, strict=True)):
        truth = codes == place
        if not truth.any() or truth.all():
            missing.append(label)
            continue
        classes.append(Scored(label=label, column=columns[label], truth=truth, score=score[known], weight=weight))
    if not classes:
        raise ValueError("No curve: the rows that have all scores are of one class.")
    return Predictions(
        classes=tuple(classes), rows=int(known.sum()), left_out=int((~known).sum()), missing=tuple(missing), notes=notes
    )
