"""Columns by name: finds them by usual names, and describes them to people if one is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from ..notes import listed
from .jsons import cell_text

SHOWN_COLUMNS: Final = 20
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TYPES: Final = {"Boolean": "true or false", "Binary": "bytes", "Null": "empty"}


def find_name(names: Iterable[str], wanted: Iterable[str]) -> str:
    """Returns the name of the first existing one of some usual columns; "" for none.

    Ignores case, spaces and hyphens: "True Label" and "trueLabel" match true_label.
    """
    known: dict[str, str] = {}
    for name in names:
        for form in (name, _CAMEL.sub("_", name)):
            known.setdefault(re.sub(r"[\s\-.]+", "_", form.strip().casefold()), name)
    return next((known[each] for each in wanted if each in known), "")


def describe(first: pl.DataFrame, others: Sequence[str] = ()) -> str:
    """Returns a sentence about columns: their names, types and one value each.

    Args:
        first: some rows.
        others: names of more columns.
    """
    said = [f"{each.name} ({_type_name(each.dtype)}{_sample(each)})" for each in first.get_columns()]
    return f"Columns found: {listed([*said, *others], SHOWN_COLUMNS)}."


def _type_name(dtype: pl.DataType) -> str:
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    return "nested" if dtype.is_nested() else _TYPES.get(str(dtype), "text")


def _sample(column: pl.Series) -> str:
    there = column.drop_nulls()
    if not len(there):
        return ""
    first = there.head(1).to_list()[0]
    value = cell_text(first) or "" if isinstance(first, list | dict) else str(first)
    return f", such as {value if len(value) <= 30 else value[:30] + '…'}"
