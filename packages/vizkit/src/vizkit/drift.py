"""Distances between the columns of two data sets: PSI, Kolmogorov-Smirnov, Jensen-Shannon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

BINS: Final = 10
# The number of distinct texts counted separately in a column; all others count as one.
MAX_VALUES: Final = 50
# PSI takes the logarithm of each share, so an empty bin counts as if it had this share.
FLOOR: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """One column in both data sets.

    Attributes:
        psi: population stability index, from 0; None if it cannot be computed.
        ks: Kolmogorov-Smirnov statistic, 0 to 1; None if the column is not numeric.
        js: Jensen-Shannon distance with logarithms to base 2, 0 to 1; None like psi.
        labels: the units that psi and js compare: bins of numbers (by the baseline's deciles) or values, with their
            shares.
        baseline: shares by label.
        current: likewise.
        missing: shares without a value in the baseline and the current data.
        reason: why the column cannot be compared; "" if it can.
    """

    name: str
    is_number: bool = False
    psi: float | None = None
    ks: float | None = None
    js: float | None = None
    labels: tuple[str, ...] = ()
    baseline: tuple[float, ...] = ()
    current: tuple[float, ...] = ()
    missing: tuple[float, float] = (0.0, 0.0)
    reason: str = ""


def compare(baseline: pl.DataFrame, current: pl.DataFrame) -> list[ColumnDrift]:
    """Returns every column of either data set, those with the largest drift first."""
    names = list(dict.fromkeys([*baseline.columns, *current.columns]))
    found = [_column(name, baseline, current) for name in names]
    return sorted(found, key=lambda each: (each.psi is None, -(each.psi or 0)))


def _column(name: str, baseline: pl.DataFrame, current: pl.DataFrame) -> ColumnDrift:
    for frame, words in ((baseline, "baseline"), (current, "current data")):
        if name not in frame.columns:
            return ColumnDrift(name=name, reason=f"not in the {words}")
    pair = [baseline[name], current[name]]
    is_number = all(each.dtype.is_numeric() for each in pair)
    if is_number:
        pair = [each.cast(pl.Float64).fill_nan(None) for each in pair]
    shares = [each.null_count() / len(each) if len(each) else 1.0 for each in pair]
    missing = (shares[0], shares[1])
    there = [each.drop_nulls() for each in pair]
    if not all(map(len, there)):
        return ColumnDrift(name=name, is_number=is_number, missing=missing, reason="no values in one of the data sets")
    labels, counts = _bins(*there) if is_number else _values(*there)
    one, other = (each / each.sum() for each in counts)
    return ColumnDrift(
        name=name,
        is_number=is_number,
        psi=psi(one, other),
        ks=ks(there[0].to_numpy(), there[1].to_numpy()) if is_number else None,
        js=js(one, other),
        labels=tuple(labels),
        baseline=tuple(one.tolist()),
        current=tuple(other.tolist()),
        missing=missing,
    )


def _bins(baseline: pl.Series, current: pl.Series) -> tuple[list[str], list[Any]]:
    finite = baseline.filter(baseline.is_finite())
    edges = np.unique(np.quantile(finite.to_numpy(), np.linspace(0, 1, BINS + 1)[1:-1])) if len(finite) else np.zeros(1)
    texts = [f"{each:.6g}" for each in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    labels = [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
    counts = [
        np.bincount(np.searchsorted(edges, each.to_numpy(), side="left"), minlength=len(labels)).astype(float)
        for each in (baseline, current)
    ]
    return labels, counts


def _values(baseline: pl.Series, current: pl.Series) -> tuple[list[str], list[Any]]:
    texts = [each.cast(pl.String, strict=False).fill_null("(no text)") for each in (baseline, current)]
    tables = [dict(zip(*each.value_counts().get_columns(), strict=True)) for each in texts]
    total = {name: tables[0].get(name, 0) + tables[1].get(name, 0) for each in tables for name in each}
    kept = sorted(total, key=lambda name: (-total[name], name))[:MAX_VALUES]
    rest = [sum(each.values()) - sum(each.get(name, 0) for name in kept) for each in tables]
    counts = [[*(each.get(name, 0) for name in kept), left] for each, left in zip(tables, rest, strict=True)]
    labels = [*kept, "(all others)"]
    if not any(rest):
        labels, counts = kept, [each[:-1] for each in counts]
    return labels, [np.array(each, float) for each in counts]


def psi(baseline: Any, current: Any) -> float:
    """Returns the population stability index of two arrays of shares; empty bins count as FLOOR."""
    one, other = (np.maximum(each, FLOOR) for each in (baseline, current))
    return float(((other - one) * np.log(other / one)).sum())


def js(baseline: Any, current: Any) -> float:
    """Returns the Jensen-Shannon distance of two arrays of shares, with logarithms to base 2."""
    middle = (baseline + current) / 2

    def divergence(shares: Any) -> float:
        there = shares > 0
        return float((shares[there] * np.log2(shares[there] / middle[there])).sum())

    return float(np.sqrt(max(0.0, (divergence(baseline) + divergence(current)) / 2)))


def ks(baseline: Any, current: Any) -> float:
    """Returns the greatest distance between the cumulative shares of two arrays of numbers."""
    one, other = np.sort(baseline), np.sort(current)
    every = np.concatenate([one, other])
    shares = [np.searchsorted(each, every, side="right") / len(each) for each in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def drifted(columns: Sequence[ColumnDrift], measure: str, threshold: float) -> list[ColumnDrift]:
    """Returns the columns whose measure ("psi", "ks" or "js") is above a threshold."""
    return [each for each in columns if (value := getattr(each, measure)) is not None and value > threshold]


_BASELINES: Final = ("train", "training", "baseline", "reference", "ref", "old", "before")


def choose(names: Sequence[str], baseline: str) -> tuple[str, str]:
    """Returns the names of the baseline and of the data set compared with it.

    Args:
        names: of the data sets.
        baseline: a name; "" for one that is called train, baseline or the like, else the first.

    Raises:
        ValueError: there are not exactly two data sets, or none has that name; the text is for people.
    """
    listed = ", ".join(map(str, names[:20]))
    if baseline and baseline not in names:
        raise ValueError(f'There is no data set "{baseline}". Data sets found: {listed}.')
    if len(names) != 2:
        raise ValueError(f"Drift compares two data sets, but {len(names):,} were found: {listed}.")
    usual = next((name for name in names if any(each in name.casefold() for each in _BASELINES)), names[0])
    first = baseline or usual
    return first, next(name for name in names if name != first)
