"""The values that the parts of the reader pass to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from ..notes import Notes

Rows = Callable[[int], Iterator[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file's rows, not read yet.

    Attributes:
        is_text: whether every column is the file's own text.
        has_header: whether the file names its columns.
        total: the number of rows; None if they have not been counted.
        readings: the decimal mark, "," or ".", of text columns with numbers in another notation; the other mark
            separates thousands.
        rows: for JSON, yields up to that many rows, with fractions as `Literal`s.
        nested: columns that contain JSON as text.
        scan: for text, returns the rows with some columns read as numbers, given their polars types; all values of such
            a column must have that type.
    """

    frame: pl.LazyFrame
    notes: Notes
    is_text: bool = False
    has_header: bool = True
    total: int | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    rows: Rows | None = None
    nested: frozenset[str] = frozenset()
    scan: Callable[[Mapping[str, Any]], pl.LazyFrame] | None = None
