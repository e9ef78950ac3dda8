"""What is known of a data set's columns: the figures of TFDV's `DatasetFeatureStatisticsList` that people look at."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """So many values lie from `low` to `high`."""

    low: float
    high: float
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """So often a value occurs."""

    value: str
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A numeric feature.

    Attributes:
        standard: buckets of equal width.
        quantiles: buckets of equal count.
        nan: values that are no number; none of the other figures counts them.
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
    """Returns what is known where no value is a number."""
    none = math.nan
    return Numbers(mean=none, std_dev=none, zeros=0, min=none, median=none, max=none, nan=nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A categorical feature.

    Attributes:
        unique: distinct values.
        avg_length: of a value, in bytes of UTF-8.
        top: the most frequent values, the most frequent first.
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
        name: its path, steps joined by points.
        type: INT, FLOAT, STRING, BYTES or STRUCT.
        count: examples that have it.
        missing: examples that do not.
        values: values in all examples together; more than `count` where an example may hold several.
        fewest: values in an example that has it, at least.
        most: the same, at most.
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
        """How many of the examples lack it, 0 to 1."""
        whole = self.count + self.missing
        return self.missing / whole if whole else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set, split or slice.

    Attributes:
        examples: rows.
    """

    name: str
    examples: int
    features: tuple[Feature, ...]
