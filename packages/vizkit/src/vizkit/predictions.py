"""Rows of predictions: what was true, with which score, for one class or for several."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import files

if TYPE_CHECKING:
    import pandas as pd

SCORE_COLUMNS: Final = ("true", "score", "probability", "prediction", "prob", "proba", "scores", "y_score", "y_prob")
_TRUE_VALUES: Final = frozenset({"true", "1", "1.0", "yes", "positive"})
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
        truth: booleans, some of each.
        score: finite numbers.
    """

    label: str
    column: str
    truth: Any
    score: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What a source says.

    Attributes:
        classes: one, or one for each class.
        rows: how many counted.
        left_out: rows without a target or a finite score.
        missing: classes that no row or every row has, which have no curve.
    """

    classes: tuple[Scored, ...]
    rows: int
    left_out: int
    missing: tuple[str, ...]

    def pooled(self) -> tuple[Any, Any]:
        """Returns truth and score of all classes' decisions in one row, for micro averages."""
        return np.concatenate([each.truth for each in self.classes]), np.concatenate(
            [each.score for each in self.classes]
        )


def predictions(rows: pd.DataFrame, variables: Mapping[str, Any]) -> Predictions:
    """Returns one class against the rest where `trueclass` or one score says so, else each class against the rest.

    Args:
        variables: target_column, target_operator, trueclass, true_score_column, class_columns; all may be missing.

    Raises:
        ValueError: a column is not there or holds no numbers, or there is nothing to tell apart.
    """
    target = files.column(rows, variables.get("target_column") or "target")
    codes, values = _coded(target)
    labels = [str(value) for value in values]
    columns = class_columns(rows, labels, variables.get("class_columns") or [], str(target.name))
    sign = variables.get("target_operator") or "=="
    wanted = str(variables.get("trueclass") or "")
    if columns and len(labels) > 2 and not wanted and not variables.get("true_score_column") and sign == "==":
        return _several(rows, codes, labels, columns)
    member, label, only = _members(values, str(target.name), wanted, sign)
    name = variables.get("true_score_column") or columns.get(only) or _score_column(rows)
    score = numbers(rows, name)
    known = (codes >= 0) & np.isfinite(score)
    truth = member[codes[known]] if len(member) else np.zeros(0, bool)
    if not truth.any() or truth.all():
        raise ValueError(f"No curve: {'every' if truth.any() else 'no'} row has {label}. Check the true class.")
    one = Scored(label=label, column=name, truth=truth, score=score[known])
    return Predictions(classes=(one,), rows=int(known.sum()), left_out=int((~known).sum()), missing=())


def _coded(target: pd.Series) -> tuple[Any, list[Any]]:
    """Returns each row's value as an index (-1: none) into the values, in their order."""
    codes, values = target.factorize()
    listed = list(values)
    try:
        order = sorted(range(len(listed)), key=listed.__getitem__)
    except TypeError:
        order = sorted(range(len(listed)), key=lambda at: str(listed[at]))
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    place[-1] = -1
    return place[codes], [listed[at] for at in order]


def _same(value: Any, wanted: str) -> bool:
    if str(value).casefold() == wanted.casefold():
        return True
    # A column of 0 and 1 with a gap in it holds 0.0 and 1.0.
    try:
        return not isinstance(value, bool | np.bool_) and float(value) == float(wanted)
    except (TypeError, ValueError):
        return False


def _members(values: Sequence[Any], name: str, wanted: str, sign: str) -> tuple[Any, str, str]:
    """Returns which values count as true, in words, and the one value's own label ("" for several)."""
    if not wanted:
        ordered = sorted(values, key=lambda value: (str(value).lower() in _TRUE_VALUES, _Last(value)))
        if len(ordered) != 2:
            shown = ", ".join(str(value) for value in values[:10])
            raise ValueError(
                f'Say which value of "{name}" is the true class (trueclass): it has {len(values)} values: {shown}.'
            )
        wanted = str(ordered[-1])
    label = f"{name} {sign} {wanted}"
    if sign in {"==", "!="}:
        member = np.array([_same(value, wanted) for value in values], dtype=bool)
        only = next((str(value) for value in values if _same(value, wanted)), "")
        return (member if sign == "==" else ~member), label, only if sign == "==" else ""
    try:
        member = np.array([bool(_COMPARE[sign](float(value), float(wanted))) for value in values], dtype=bool)
    except (TypeError, ValueError) as error:
        raise ValueError(f'"{name}" {sign} {wanted}: both sides must be numbers ({error}).') from None
    return member, label, ""


class _Last:
    """Sorts numbers as numbers, and all else by its text."""

    def __init__(self, value: Any) -> None:
        self.key = (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))

    def __lt__(self, other: _Last) -> bool:
        return self.key < other.key


def _score_column(rows: pd.DataFrame) -> str:
    for name in SCORE_COLUMNS:
        if name in rows.columns:
            return name
    found = ", ".join(map(str, rows.columns[:40]))
    raise ValueError(f"Say which column holds the score (true_score_column). Columns found: {found}.")


def numbers(rows: pd.DataFrame, name: str) -> Any:
    """Returns a column as floats, NaN where it holds no number.

    Raises:
        ValueError: there is none of that name, or no number in it.
    """
    import pandas as pd

    found = pd.to_numeric(files.column(rows, name), errors="coerce").to_numpy(dtype=float, na_value=math.nan)
    if not np.isfinite(found).any():
        raise ValueError(f'Column "{name}" holds no numbers.')
    return found


def class_columns(rows: pd.DataFrame, labels: list[str], given: Sequence[str], target: str) -> dict[str, str]:
    """Returns the score column of each class, by label; empty where there are none.

    A column belongs to the class that it is named after, alone or behind or before another word (`score_cat`,
    `prob.cat`, `cat probability`). Columns that are named otherwise are taken in the order of the sorted labels.

    Raises:
        ValueError: columns were given, and they do not go with the labels.
    """
    names = list(given) or [str(name) for name in rows.columns if str(name) != target]
    by_name: dict[str, list[str]] = {}
    for name in names:
        words = re.split(r"[_\W]+", name.casefold())
        for key in {name.casefold(), *("_".join(words[n:]) for n in (1, 2)), "_".join(words[:-1])} - {""}:
            by_name.setdefault(key, []).append(name)
    found = {}
    for label in labels:
        folded = label.casefold()
        matching = by_name.get(folded) or by_name.get("_".join(re.split(r"[_\W]+", folded)), [])
        exact = [name for name in matching if name.casefold() == folded]
        if len(exact or matching) == 1 or exact:
            found[label] = (exact or matching)[0]
    if len(found) == len(labels) and len(set(found.values())) == len(labels):
        return found if given or _are_numbers(rows, found.values()) else {}
    if not given:
        return {}
    if len(given) != len(labels):
        raise ValueError(
            f'class_columns names {len(given)} columns, and "{target}" has {len(labels)} values: '
            f"{', '.join(labels[:20])}."
        )
    return dict(zip(labels, given, strict=True))


def _are_numbers(rows: pd.DataFrame, names: Any) -> bool:
    import pandas as pd

    return all(pd.api.types.is_numeric_dtype(rows[name]) for name in names)


def _several(rows: pd.DataFrame, codes: Any, labels: list[str], columns: Mapping[str, str]) -> Predictions:
    scores = [numbers(rows, columns[label]) for label in labels]
    known = (codes >= 0) & np.logical_and.reduce([np.isfinite(each) for each in scores])
    codes = codes[known]
    classes, missing = [], []
    for place, (label, score) in enumerate(zip(labels, scores, strict=True)):
        truth = codes == place
        if not truth.any() or truth.all():
            missing.append(label)
            continue
        classes.append(Scored(label=label, column=columns[label], truth=truth, score=score[known]))
    if not classes:
        raise ValueError("No curve: the rows that have all scores are of one class.")
    return Predictions(
        classes=tuple(classes), rows=int(known.sum()), left_out=int((~known).sum()), missing=tuple(missing)
    )
