"""Class labels, compared by value: 1, 1.0 and "1" are equal, and so is True if the other side is numeric."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from .notes import counted

_NAME_OF_DIGITS: Final = re.compile(r"\s*[+-]?0\d+\s*")
_TRUTHS: Final = {"true": True, "false": False}


def coded(*columns: pl.Series) -> tuple[list[Any], list[str]]:
    """Returns each column's rows as indices into common labels (-1: none), and the sorted labels.

    A whole number is written without a fraction. Text counts as a number only if another column contains numbers; "01"
    always stays text. Empty cells and NaN are not labels.
    """
    is_numeric = any(each.dtype.is_numeric() for each in columns)
    has_truth = any(each.dtype == pl.Boolean for each in columns)
    found = [_uniques(each, is_numeric=is_numeric, has_truth=has_truth) for each in columns]
    labels = sort({label for _, names in found for label in names if label is not None})
    place: dict[str | None, int] = {label: at for at, label in enumerate(labels)}
    codes = []
    for rows, names in found:
        codes.append(np.array([place.get(name, -1) for name in names], dtype=np.int64)[rows])
    return codes, labels


def _uniques(column: pl.Series, *, is_numeric: bool, has_truth: bool) -> tuple[Any, list[str | None]]:
    """Returns for each row an index into the labels of a column's distinct values."""
    # NaN is not a label, and a column of only NaN would give nulls instead of codes when joined.
    column = column.fill_nan(None) if column.dtype.is_float() else column
    values = column.unique()
    labels = [label_of(each, is_numeric=is_numeric, has_truth=has_truth) for each in values.to_list()]
    if column.dtype.is_nested():
        raise ValueError(f'Column "{column.name}" holds nested values, which are not classes.')
    codes = pl.Series("code", range(len(values)), dtype=pl.Int64)
    looked_up = column.to_frame("v").join(
        pl.DataFrame([values.alias("v"), codes]), on="v", how="left", nulls_equal=True, maintain_order="left"
    )
    return looked_up.get_column("code").to_numpy(), labels


def label_of(value: Any, *, is_numeric: bool = False, has_truth: bool = False) -> str | None:
    """Returns the label of one value; None for a missing value.

    Args:
        value: the value.
        is_numeric: whether it is compared with numbers.
        has_truth: whether it is compared with true and false.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(int(value)) if is_numeric else str(value)
    if isinstance(value, float):
        return None if math.isnan(value) else _number(value)
    if isinstance(value, str) and (is_numeric or has_truth):
        truth = _TRUTHS.get(value.strip().casefold())
        if truth is not None:
            return str(int(truth)) if is_numeric else str(truth)
        return _of_text(value) if is_numeric else value
    return str(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)


def _of_text(text: str) -> str:
    if _NAME_OF_DIGITS.fullmatch(text):
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    whole = text.strip().lstrip("+")
    return whole if whole.lstrip("-").isdecimal() else _number(value) if math.isfinite(value) else text


def same(label: str, wanted: Any) -> bool:
    """Whether a label equals what a person wrote, by value and ignoring case."""
    text = str(wanted)
    if label.casefold() == text.casefold():
        return True
    if (truth := _TRUTHS.get(text.casefold())) is not None and label in {"0", "1"}:
        return label == str(int(truth))
    if text in {"0", "1"} and label in {"True", "False"}:
        return label == str(text == "1")
    return not _NAME_OF_DIGITS.fullmatch(label) and _of_text(label) == _of_text(text)


def sort(labels: set[str]) -> list[str]:
    """Returns sorted labels; numerically if all are numbers."""
    numbers = {each: number(each) for each in labels}
    if all(map(math.isfinite, numbers.values())):
        return sorted(labels, key=lambda each: (numbers[each], each))
    return sorted(labels)


def number(value: Any) -> float:
    """Returns a float; NaN if the value is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def question_scores(column: pl.Series, what: str, *, beside: pl.Series | None = None) -> None:
    """Raises ValueError if a column of classes holds scores: many distinct fractions, or any next to whole numbers.

    Args:
        column: of classes.
        what: what it was assumed to be, such as "predicted classes".
        beside: the column of the truth.
    """
    if not column.dtype.is_float():
        return
    values = column.drop_nulls().drop_nans()
    found = values.filter(values != values.round(0))
    fractions = found.n_unique()
    is_between = beside is not None and fractions > 0 and _are_whole(beside) and values.is_between(0, 1).all()
    if is_between or (fractions > _FEW_FRACTIONS and fractions > len(values) * 0.02):
        raise ValueError(
            f'Column "{column.name}" holds {counted(fractions, "fraction")}, such as {found[0]}: scores, not '
            f"{what}. Choose the column of classes; the types ROC curve and Precision-recall curve accept scores."
        )


_FEW_FRACTIONS: Final = 20


def _are_whole(column: pl.Series) -> bool:
    if column.dtype.is_float():
        known = column.drop_nulls().drop_nans()
        return bool((known == known.round(0)).all())
    return bool(column.dtype.is_integer() or column.dtype == pl.Boolean)


def names_of(labels: Sequence[str], limit: int = 20) -> str:
    """Returns labels as a list for people."""
    return ", ".join(labels[:limit]) + (f" and {len(labels) - limit:,} more" if len(labels) > limit else "")
