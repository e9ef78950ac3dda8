"""Two figures that TFDV does not store: how unevenly a feature's values are distributed, and how data sets differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .model import Bucket, Feature


def unevenness(feature: Feature) -> float:
    """Returns 1 - entropy: 0 if all buckets (or values) are equally frequent, 1 if one has everything."""
    if feature.numbers is not None:
        counts = [bucket.count for bucket in feature.numbers.standard]
    else:
        counts = [each.count for each in feature.texts.ranks] if feature.texts is not None else []
    whole = sum(counts)
    if whole <= 0 or len(counts) < 2:
        return 1.0 if whole > 0 else 0.0
    shares = [count / whole for count in counts if count > 0]
    return max(0.0, 1 + sum(share * math.log(share) for share in shares) / math.log(len(counts)))


def difference(found: Sequence[Feature | None]) -> float | None:
    """Returns the largest distance between a feature's data sets, 0 to 1; None if fewer than two have it.

    Numeric: the largest distance between the cumulative shares. Categorical: the largest difference in the share of any
    one value (TFDV's L-infinity). The difference in the share of missing values counts if it is larger.
    """
    present = [each for each in found if each is not None]
    if len(present) < 2:
        return None
    pairs = [(one, other) for at, one in enumerate(present) for other in present[at + 1 :]]
    return max(_between(one, other) for one, other in pairs)


def _between(one: Feature, other: Feature) -> float:
    missing = abs(one.missing_share - other.missing_share)
    if one.numbers is not None and other.numbers is not None:
        return max(missing, _steps_apart(one.numbers.quantiles, other.numbers.quantiles))
    if one.texts is not None and other.texts is not None:
        return max(missing, _values_apart(one, other))
    return 1.0 if one.type != other.type else missing


def _values_apart(one: Feature, other: Feature) -> float:
    shares: list[dict[str, float]] = []
    for each in (one, other):
        found = each.texts.ranks or each.texts.top if each.texts is not None else ()
        shares.append({value.value: value.count / max(1, each.values) for value in found})
    values = {*shares[0], *shares[1]}
    return max((abs(shares[0].get(value, 0.0) - shares[1].get(value, 0.0)) for value in values), default=0.0)


def _steps_apart(one: tuple[Bucket, ...], other: tuple[Bucket, ...]) -> float:
    edges = sorted({edge for bucket in one + other for edge in (bucket.low, bucket.high) if math.isfinite(edge)})
    gaps = (
        max(abs(below(one, e, is_left=left) - below(other, e, is_left=left)) for left in (True, False)) for e in edges
    )
    return max(gaps, default=0.0)


def below(buckets: Sequence[Bucket], value: float, *, is_left: bool = False) -> float:
    """Returns the share of values up to a value, assuming an even distribution within each bucket.

    Args:
        buckets: of the histogram.
        value: the upper limit.
        is_left: exclude values equal to it.
    """
    whole = sum(bucket.count for bucket in buckets)
    found = 0.0
    for bucket in buckets:
        if bucket.high < value or (bucket.high == value and (bucket.low < value or not is_left)):
            found += bucket.count
        elif bucket.low < value < bucket.high:
            width = bucket.high - bucket.low
            found += bucket.count * ((value - bucket.low) / width if math.isfinite(width) else 0.5)
    return found / whole if whole else 0.0
