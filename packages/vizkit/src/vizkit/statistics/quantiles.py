"""Quantiles and histograms with the same figures as TFDV.

TFDV computes 1,001 quantiles from a sketch of its values. Up to some thousand distinct values that sketch is exact, and
this computation is exact for any number. Both histograms are made from these quantiles, not from the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .model import Bucket

BUCKETS: Final = 10
_FINE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Boundaries, and the number of values at or below each."""

    bounds: Any
    below: Any

    @property
    def median(self) -> float:
        """The middle boundary."""
        return float(self.bounds[len(self.bounds) // 2])


def find_quantiles(values: Any, counts: Any, number: int = BUCKETS * _FINE) -> Quantiles:
    """Returns `number + 1` quantiles of distinct, sorted values and their counts."""
    below = np.cumsum(counts).astype(np.float64)
    middles = below - counts + below
    wanted = 2 * (np.arange(number + 1) * below[-1] / number)
    at = np.maximum(np.searchsorted(middles, wanted, side="right") - 1, 0)
    after = np.minimum(at + 1, len(values) - 1)
    at = np.where(wanted < 2 * below[at], at, after)
    return Quantiles(bounds=values[at], below=below[at])


def quantiles_histogram(quantiles: Quantiles) -> tuple[Bucket, ...]:
    """Returns the ten buckets between every hundredth of 1,001 quantiles."""
    bounds, below = quantiles.bounds[::_FINE], quantiles.below[::_FINE]
    return _as_buckets(bounds[:-1], bounds[1:], _counts(bounds, below))


def standard_histogram(
    quantiles: Quantiles, *, finite_min: float, finite_max: float, infinite: int
) -> tuple[Bucket, ...]:
    """Returns ten buckets of equal width, and one each for infinite values; counts are interpolated.

    Args:
        quantiles: of the values.
        finite_min: the least finite value.
        finite_max: the greatest finite value.
        infinite: the number of values that are plus infinity.
    """
    if not (np.isfinite(finite_min) and np.isfinite(finite_max)):
        return (Bucket(low=finite_min, high=finite_max, count=float(quantiles.below[-1])),)
    bounds, below, negative = _finite_part(quantiles, finite_max, infinite)
    counts = _counts(bounds, below)
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.array([finite_min, finite_max])
        if finite_min != finite_max:
            edges = np.linspace(finite_min, finite_max, BUCKETS + 1)
    if not np.isfinite(edges).all():
        return ()
    inner = [
        float(np.sum(_shares(bounds[:-1], bounds[1:], edges[i], edges[i + 1], is_first=i == 0) * counts))
        for i in range(len(edges) - 1)
    ]
    ends = ((float("-inf"), negative), (float("inf"), infinite))
    outer = [(Bucket(low=at, high=at, count=float(count)),) if count else () for at, count in ends]
    return outer[0] + _as_buckets(edges[:-1], edges[1:], inner) + outer[1]


def _as_buckets(lows: Any, highs: Any, counts: Any) -> tuple[Bucket, ...]:
    return tuple(
        Bucket(low=float(low), high=float(high), count=float(count))
        for low, high, count in zip(lows, highs, counts, strict=True)
    )


def _counts(bounds: Any, below: Any) -> Any:
    """Returns the values in each bucket; those of buckets with the same end are distributed over them."""
    counts = np.diff(below)
    if not len(counts):
        return counts
    lows, highs = bounds[:-1], bounds[1:]
    starts = np.flatnonzero(np.r_[True, highs[1:] != highs[:-1]])
    sizes = np.diff(np.r_[starts, len(highs)])
    counts = np.repeat(np.add.reduceat(counts, starts) / sizes, sizes)
    # The values at the lowest boundary itself belong to the buckets that begin there.
    same = (lows == lows[0]) & (highs == highs[0])
    first = len(same) if same.all() else int(np.argmin(same))
    counts[:first] += below[0] / first
    return counts


def _finite_part(quantiles: Quantiles, finite_max: float, infinite: int) -> tuple[Any, Any, float]:
    bounds, below = quantiles.bounds, quantiles.below
    start = int(np.searchsorted(bounds, float("-inf"), side="right"))
    negative = float(below[start - 1]) if start else 0.0
    bounds, below = bounds[start:], below[start:] - negative
    if infinite:
        end = int(np.searchsorted(bounds, float("inf"), side="left"))
        total = below[-1] - infinite if len(below) else 0.0
        bounds, below = np.append(bounds[:end], finite_max), np.append(below[:end], total)
    return bounds, below, negative


def _shares(lows: Any, highs: Any, low: float, high: float, *, is_first: bool) -> Any:
    """Returns the share of each bucket between two edges; a bucket at an edge belongs to the range that ends there."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (np.minimum(highs, high) - np.maximum(lows, low)) / (highs - lows)
    shares = np.where((lows >= low) & (highs <= high), 1.0, shares)
    shares = np.where((highs < low) | (lows > high), 0.0, shares)
    return np.where((lows == highs) & (lows == low), float(is_first), shares)
