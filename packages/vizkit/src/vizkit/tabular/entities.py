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
class How:
    """What a person says about a file; all of it may be left to the reader.

    Attributes:
        names: of the columns of delimited text; every line is then data.
        has_header: whether the first line holds names; None finds it out.
        delimiter: "" finds it out.
        decimal: "," or "." between whole and fraction; "" finds it out.
    """

    names: tuple[str, ...] = ()
    has_header: bool | None = None
    delimiter: str = ""
    decimal: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> How:
        """Returns what a type's arguments say: headers, header_row, delimiter, decimal; all may be missing."""
        names = variables.get("headers")
        has_header = {"yes": True, "true": True, "no": False, "false": False}
        decimal = str(variables.get("decimal") or "")
        return cls(
            names=tuple(map(str, names)) if isinstance(names, list) else (),
            has_header=has_header.get(str(variables.get("header_row", "")).lower()),
            delimiter=str(variables.get("delimiter") or ""),
            decimal=decimal if decimal in {",", "."} else "",
        )


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
