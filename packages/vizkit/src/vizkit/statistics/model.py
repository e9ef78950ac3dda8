"""The statistics of a data set's columns: the relevant figures of TFDV's `DatasetFeatureStatisticsList`."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The number of values from `low` to `high`."""

    low: float
    high: float
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """The number of occurrences of a value."""

    value: str
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A numeric feature.

    Attributes:
        standard: buckets of equal width.
        quantiles: buckets of equal count.
        nan: values that are not a number; excluded from all other figures.
    """

    mean: float
    std_dev: float
    zeros: int
    min: float
    median: float
    max: float
    standard: tuple[Bucket, ...] = ()
    quantiles: tuple[Bucket, ...] = ()
    nan: int = 0


def no_numbers(nan: int) -> Numbers:
    """Returns the figures of a feature without any number."""
    none = math.nan
    return Numbers(mean=none, std_dev=none, zeros=0, min=none, median=none, max=none, nan=nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A categorical feature.

    Attributes:
        unique: the number of distinct values.
        avg_length: of a value, in bytes of UTF-8.
        top: the most frequent values, in descending order.
        ranks: the same for the first thousand values, as a histogram.
    """

    unique: int
    avg_length: float
    top: tuple[Frequency, ...] = ()
    ranks: tuple[Frequency, ...] = ()
    invalid_utf8: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column.

    Attributes:
        name: its path, with components joined by points.
        type: INT, FLOAT, STRING, BYTES or STRUCT.
        count: examples that have it.
        missing: examples that do not.
        values: the number of values in all examples; more than `count` if an example may contain several.
        fewest: the minimum number of values in an example that has it.
        most: the maximum, likewise.
    """

    name: str
    type: str
    count: int
    missing: int
    values: int
    fewest: int = 1
    most: int = 1
    numbers: Numbers | None = None
    texts: Texts | None = None

    @property
    def missing_share(self) -> float:
        """The share of examples that lack it, 0 to 1."""
        whole = self.count + self.missing
        return self.missing / whole if whole else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set, split or slice.

    Attributes:
        examples: the number of rows.
    """

    name: str
    examples: int
    features: tuple[Feature, ...]
