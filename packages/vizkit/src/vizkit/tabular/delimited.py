"""Delimited text, read by polars as text, so that it is shown exactly as in the file, to the last digit."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from .. import dialect as dialects
from ..dialect import How
from ..encoding import Survey, survey
from ..files import scratch_dir
from ..notes import Notes, counted, listed
from . import values
from .entities import Part
from .kinds import HEAD_BYTES, damaged

# Plain numbers, one per line. The quantifiers are possessive: otherwise backtracking takes forever for a file of whole
# numbers and one other word.
_PLAIN: Final = re.compile(r"(?:(?:[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)?+\n)*+", re.ASCII)
# A column after the last: it receives surplus cells.
_BEYOND: Final = "\x00beyond"


def open_text(path: Path, head: bytes, how: How) -> Part:
    """Opens a file of delimited text.

    Raises:
        ValueError: the given names or encoding do not match the file; the text is for people.
    """
    notes = Notes()
    found = survey(path, head, how.encoding)
    _say_survey(found, notes)
    start = head.decode(found.encoding, "ignore")
    if found.encoding.startswith("utf-8"):
        start = start.removeprefix("\ufeff")
    is_whole = path.stat().st_size <= HEAD_BYTES
    dialect = dialects.find_dialect(start, how, notes, is_whole=is_whole, suffix=path.suffix.lower())
    _check_names(how.names, dialect, path)
    has_broken_quote = bool(found.quotes % 2) and _is_unclosed(path, found, dialect)
    if has_broken_quote:
        notes.add("A quotation mark is never closed, so quotation marks are read as text.")
    if _is_unusual(found, dialect):
        path = _rewritten(path, found, dialect, is_quoted=not has_broken_quote)
        found, dialect = replace(found, returns=0), _of_copy(dialect)
    if dialect.delimiter == " ":
        notes.add("The columns are separated by spaces.")
    elif dialect.is_spaced:
        notes.add("A space follows each delimiter; it is not part of the values.")
    names = pl.selectors.by_name(*dialect.names)
    scan = partial(_scan, path, dialect, is_quoted=not has_broken_quote)
    try:
        total = _count(scan({}), path, found, dialect, notes)
    except pl.exceptions.PolarsError:
        # Quotation marks inside of values; Python's reader takes them literally.
        notes.add("Some quotation marks are misplaced, so some values may be split incorrectly.")
        path = _rewritten(path, found, dialect, is_quoted=not has_broken_quote)
        dialect = _of_copy(dialect)
        scan = partial(_scan, path, dialect, is_quoted=not has_broken_quote)
        try:
            total = _count(scan({}), path, replace(found, returns=0), dialect, notes)
        except pl.exceptions.PolarsError:
            raise damaged(path.name, "delimited text") from None
    frame = scan({})
    readings = _readings(dialect, how.decimal, notes)
    return Part(
        frame=frame.select(names),
        notes=notes,
        is_text=True,
        has_header=dialect.has_header,
        total=total,
        readings=readings,
        scan=lambda types: scan(types).select(names),
    )


def _say_survey(found: Survey, notes: Notes) -> None:
    if found.note:
        notes.add(f"{found.note} If that is wrong, set encoding.")
    if found.nulls:
        notes.add(f"The text holds {counted(found.nulls, 'NUL character')}.")
    if found.is_cut:
        notes.add("The file ends in the middle of a character, which is left out.")


def _check_names(names: tuple[str, ...], dialect: dialects.Dialect, path: Path) -> None:
    if not names:
        return
    width = len(dialect.sample[0]) if dialect.sample else 0
    if len(names) != width:
        raise ValueError(
            f"{counted(len(names), 'column name')} {'was' if len(names) == 1 else 'were'} given, and {path.name} has "
            f"{counted(width, 'column')}."
        )
    if len(set(names)) < len(names):
        raise ValueError("Two of the column names are the same.")


def _is_unclosed(path: Path, found: Survey, dialect: dialects.Dialect) -> bool:
    try:
        for _ in _records(path, found, dialect, is_strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _is_unusual(found: Survey, dialect: dialects.Dialect) -> bool:
    """Whether polars would read it differently from what people mean."""
    is_plain = found.encoding in {"utf-8", "utf-8-sig"} and dialect.delimiter.isascii()
    # An empty line is not a row; a lone carriage return ends a line as well.
    return not is_plain or found.has_blank or dialect.is_spaced or found.returns > 0 or found.is_cut


def _of_copy(dialect: dialects.Dialect) -> dialects.Dialect:
    """Returns the dialect of `_rewritten`: no header, and a one-byte delimiter, since polars supports no other."""
    return replace(dialect, skipped=0, delimiter=dialect.delimiter if dialect.delimiter.isascii() else "\x1f")


def _records(path: Path, found: Survey, dialect: dialects.Dialect, **how: Any) -> Iterator[list[str]]:
    with path.open(encoding=found.encoding, newline="", errors="ignore" if found.is_cut else "replace") as file:
        for _ in range(dialect.skipped):
            file.readline()
        lines = (f"{line.rstrip()}\n" for line in file) if dialect.delimiter == " " else file
        yield from csv.reader(
            lines,
            delimiter=dialect.delimiter,
            skipinitialspace=dialect.is_spaced,
            strict=how.pop("is_strict", False),
            **how,
        )


def _rewritten(path: Path, found: Survey, dialect: dialects.Dialect, *, is_quoted: bool) -> Path:
    """Returns a copy in UTF-8 with one line per row."""
    copy = scratch_dir("rows-") / path.name
    how = {} if is_quoted else {"quoting": csv.QUOTE_NONE}
    with copy.open("w", encoding="utf-8", newline="") as file:
        written: dict[str, Any] = {"lineterminator": "\n"}
        if not is_quoted:
            written |= {"quoting": csv.QUOTE_NONE, "quotechar": None, "escapechar": None}
        writer = csv.writer(file, delimiter=_of_copy(dialect).delimiter, **written)
        # Without quotation marks, a row with one empty cell is an empty line, which does not count as a row.
        none: tuple[list[str], ...] = ([],) if is_quoted else ([], [""])
        writer.writerows(row for row in _records(path, found, dialect, **how) if row not in none)
    return copy


def _scan(path: Path, dialect: dialects.Dialect, types: Mapping[str, Any], *, is_quoted: bool) -> pl.LazyFrame:
    names = [*dialect.names, _BEYOND]
    return pl.scan_csv(
        path,
        separator=dialect.delimiter,
        has_header=False,
        skip_lines=dialect.skipped,
        schema={name: types.get(name, pl.String) for name in names},
        quote_char='"' if is_quoted else None,
        extra_columns="ignore",
        missing_columns="insert",
        glob=False,
    )


def _count(frame: pl.LazyFrame, path: Path, found: Survey, dialect: dialects.Dialect, notes: Notes) -> int:
    """Returns the number of rows; notes rows that are longer or shorter than the first."""
    total, beyond, empty = (
        frame.select(
            pl.len(),
            pl.col(_BEYOND).count().alias("beyond"),
            pl.nth(len(dialect.names) - 1).null_count().alias("empty"),
        )
        .collect(engine="streaming")
        .row(0)
    )
    width = len(dialect.names)
    if beyond:
        notes.add(
            f"{counted(beyond, 'line')} {'has' if beyond == 1 else 'have'} more cells than there are columns "
            f"({width}); the additional cells are left out."
        )
    short = _short_rows(path, found, dialect) if empty and width > 1 else 0
    if short:
        notes.add(
            f"{counted(short, 'line')} {'has' if short == 1 else 'have'} fewer cells than there are columns "
            f"({width}); the missing cells are empty."
        )
    return int(total)


def _short_rows(path: Path, found: Survey, dialect: dialects.Dialect) -> int:
    """Returns the number of rows with fewer cells than columns."""
    width = len(dialect.names)
    if found.quotes or path.stat().st_size <= HEAD_BYTES:
        # Files in another encoding have been rewritten.
        return sum(0 < len(row) < width for row in _records(path, replace(found, encoding="utf-8"), dialect))
    line = pl.scan_csv(
        path, separator="\x1e", has_header=False, skip_lines=dialect.skipped, schema={"line": pl.String},
        quote_char=None,
        extra_columns="ignore", glob=False,
    )  # fmt: skip
    cells = pl.col("line").str.count_matches(dialect.delimiter, literal=True) + 1
    return int(line.select((cells < width).sum()).collect(engine="streaming").item())


def _readings(dialect: dialects.Dialect, decimal: str, notes: Notes) -> dict[str, str]:
    """Returns the columns with numbers in other notations, detected from a sample; notes the assumptions."""
    samples = {
        name: pl.Series(cells, dtype=pl.String)
        for at, name in enumerate(dialect.names)
        for cells in [[row[at] for row in dialect.sample if at < len(row)]]
        if decimal or not _are_plain(cells)
    }
    found = {name: values.find_reading(each, dialect.delimiter, decimal) for name, each in samples.items()}
    found = {name: reading for name, reading in found.items() if reading}
    if "," in found.values() and not decimal and dialect.delimiter != ",":
        found |= _pointed(dialect)
    for mark, words in (
        (",", "with a decimal comma (1,5 is one and a half)"),
        (".", "with thousands separators (1,234 is 1234)"),
    ):
        names = [name for name in dialect.names if found.get(name) == mark and _has_marks(samples.get(name), mark)]
        if names and not decimal:
            notes.add(f"Numbers are read {words} in {listed(names)}. If that is wrong, set decimal.")
    signed = [name for name in found if name in samples and values.has_signs(samples[name])]
    if signed:
        notes.add(f"Percent and currency signs are left out in {listed(signed)}: 5 % is read as 5.")
    return found


def _are_plain(cells: Sequence[str]) -> bool:
    """Whether all cells are plain numbers, or none has a digit, as in most columns, which need no further tests."""
    text = "".join(f"{each}\n" for each in cells)
    return _PLAIN.fullmatch(text) is not None or not any(map(str.isdecimal, text))


def _pointed(dialect: dialects.Dialect) -> dict[str, str]:
    """Returns the columns of whole numbers with points between thousands, in a file that has decimal commas."""
    found = {}
    for at, name in enumerate(dialect.names):
        cells = [row[at] for row in dialect.sample if at < len(row)]
        if any("." in each for each in cells) and values.has_pointed_thousands(pl.Series(cells, dtype=pl.String)):
            found[name] = ","
    return found


def _has_marks(sample: pl.Series | None, mark: str) -> bool:
    return mark == "," or sample is None or bool(sample.str.contains(r"\d[,'\u2019\s]\d").any())
