"""Properties of a table to check before training with it: duplicates, uninformative columns, correlated pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import polars as pl

_MOSTLY_MISSING: Final = 0.5
# Above this share of distinct values a column is nearly a key.
_NEARLY_UNIQUE: Final = 0.95
_TOO_ALIKE: Final = 0.95
# Columns compared in pairs: 100 columns give 4,950 pairs.
_MAX_CORRELATED: Final = 100
_LEAST_ROWS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One finding: its kind, the columns concerned, and a sentence with figures."""

    kind: str
    columns: str
    words: str


def find(rows: pl.DataFrame) -> list[Alert]:
    """Returns the alerts of a table: duplicate rows first, then by column, then pairs of columns."""
    found = []
    if duplicates := duplicate_rows(rows):
        words = f"{duplicates:,} of {rows.height:,} rows repeat{'' if duplicates > 1 else 's'} an earlier row."
        found.append(Alert(kind="Duplicate rows", columns="", words=words))
    for series in rows.get_columns():
        found += _of_column(series)
    return found + _of_pairs(rows)


def duplicate_rows(rows: pl.DataFrame) -> int:
    """Returns the number of rows equal to an earlier one."""
    return int(rows.height - rows.unique().height)


def _of_column(series: pl.Series) -> list[Alert]:
    there = series.drop_nulls()
    missing, distinct = series.null_count(), there.n_unique()
    found = []
    if missing == len(series):
        return [Alert(kind="Empty column", columns=series.name, words="No row has a value.")]
    if missing / len(series) > _MOSTLY_MISSING:
        words = f"{missing:,} of {len(series):,} rows have no value ({missing / len(series):.1%})."
        found.append(Alert(kind="Mostly missing", columns=series.name, words=words))
    if distinct == 1 and len(there) > 1:
        words = f"Every value is {str(there[0])[:80]}."
        found.append(Alert(kind="Constant column", columns=series.name, words=words))
    is_key = not series.dtype.is_float() and not series.dtype.is_temporal()
    if is_key and len(there) >= _LEAST_ROWS and distinct / len(there) > _NEARLY_UNIQUE:
        words = f"{distinct:,} of {len(there):,} values are distinct: nearly an identifier, which models memorize."
        found.append(Alert(kind="Nearly unique", columns=series.name, words=words))
    return found


def _of_pairs(rows: pl.DataFrame) -> list[Alert]:
    numbers = [each.name for each in rows.get_columns() if each.dtype.is_numeric() and each.n_unique() > 1]
    kept = numbers[:_MAX_CORRELATED]
    pairs = list(combinations(kept, 2))
    if not pairs:
        return []
    values = rows.select(pl.corr(one, other).alias(str(at)) for at, (one, other) in enumerate(pairs)).row(0)
    found = [
        Alert(kind="Highly correlated", columns=f"{one}, {other}", words=f"Pearson's correlation is {value:.4f}.")
        for (one, other), value in zip(pairs, values, strict=True)
        if value is not None and abs(value) > _TOO_ALIKE
    ]
    if len(numbers) > len(kept):
        words = f"Correlations were computed for the first {len(kept):,} of {len(numbers):,} numeric columns."
        found.append(Alert(kind="Not checked", columns="", words=words))
    return found
