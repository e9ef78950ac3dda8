"""What the parts of the reader hand to each other."""

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
        total: the number of rows; None where it is not counted yet.
        readings: columns of text whose numbers are written in another way: "," or "." is the decimal mark, and the
            other one separates thousands.
        rows: of JSON, yields up to so many rows whose fractions are `Literal`s.
        nested: columns that hold JSON as text.
        scan: of text, returns the rows with some columns read as numbers, by their polars types; all of such a column
            must be that.
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
