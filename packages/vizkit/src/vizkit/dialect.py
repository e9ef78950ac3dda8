"""Detects how delimited text is written: its delimiter, where rows begin, whether the first line contains names.

Standard library only: the portal's previews detect it in the same way as the types.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .headers import (
    DELIMITERS,
    are_numbers,
    are_values,
    is_number,
    lacks_corner,
    names_in_comment,
    titles_above,
    unique_names,
)
from .notes import Notes, counted, listed

# Hive's delimiter, and those that people use if their texts contain all of the others.
_RARE: Final = ("\x01", "\x1f", "^", "~")
_SAMPLE_ROWS: Final = 100
_SAMPLE_LINES: Final = 300
_SPACED_NUMBER: Final = re.compile(r"\s*[+-]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?\s*", re.ASCII)
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a person specifies about a file; the reader detects everything that is not specified.

    Attributes:
        names: of the columns of delimited text; every line is data then.
        has_header: whether the first line contains names; None to detect it.
        delimiter: "" to detect it.
        decimal: the decimal mark, "," or "."; "" to detect it.
        encoding: of delimited text, by a name that Python knows; "" to detect it.
    """

    names: tuple[str, ...] = ()
    has_header: bool | None = None
    delimiter: str = ""
    decimal: str = ""
    encoding: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> How:
        """Returns what a type's arguments specify (`TABLE_ARGUMENTS` and `headers`); any of them may be missing."""
        names = variables.get("headers")
        has_header = {"yes": True, "true": True, "no": False, "false": False}
        decimal = str(variables.get("decimal") or "")
        return cls(
            names=tuple(map(str, names)) if isinstance(names, list) else (),
            has_header=has_header.get(str(variables.get("header_row", "")).lower()),
            delimiter=str(variables.get("delimiter") or ""),
            decimal=decimal if decimal in {",", "."} else "",
            encoding=str(variables.get("encoding") or "").strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one file is written.

    Attributes:
        skipped: the number of lines before the first row of values, including the line of names.
        is_spaced: whether a space follows each delimiter.
        sample: the first rows of values.
    """

    delimiter: str
    skipped: int
    names: tuple[str, ...]
    has_header: bool
    is_spaced: bool
    sample: tuple[tuple[str, ...], ...]


def find_dialect(head: str, how: How, notes: Notes, *, is_whole: bool, suffix: str = "") -> Dialect:
    """Detects how text is written and notes what is assumed.

    Args:
        head: the beginning of the text, with its line ends unchanged.
        is_whole: whether it is the whole text, so that its last line is complete.
    """
    text = io.StringIO(head, newline="")
    lines = list(itertools.islice(text, _SAMPLE_LINES))
    is_whole = is_whole and not text.read(1)
    delimiter, preamble = _preamble(lines, how.delimiter)
    if how.has_header is None and not how.names:
        preamble += _titles(lines[len(preamble) :], delimiter, notes)
    body = lines[len(preamble) :]
    delimiter = delimiter or _delimiter(body, suffix, is_whole=is_whole)
    is_spaced = _is_aligned(body) if delimiter == " " else _is_spaced(body, delimiter)
    rows = _rows(body, delimiter, is_spaced=is_spaced, is_whole=is_whole)
    told = names_in_comment(preamble, rows, delimiter)
    if told and how.has_header is None and not how.names:
        names, values, skipped, has_header = told, rows, len(preamble), True
        preamble = preamble[:-1]
    else:
        has_header = not how.names and (how.has_header if how.has_header is not None else not are_values(rows))
        head_lines = _lines_of_first(body, delimiter, is_spaced=is_spaced) if has_header else 0
        names, values, skipped = (
            tuple(rows[0]) if has_header and rows else (),
            rows[has_header:],
            len(preamble) + head_lines,
        )
        if not has_header and not how.names and how.has_header is None:
            notes.add(
                "The first line holds values, so the columns are numbered. If it holds names, set header_row to yes."
            )
    comments = sum(line.startswith("#") for line in preamble)
    if comments:
        notes.add(f"{counted(comments, 'line')} of comments at the top {'is' if comments == 1 else 'are'} left out.")
    # Most rows may be wider than the first, which then lacks names for some columns.
    widths = Counter(len(row) for row in rows[1:]).most_common(1)
    usual = [width for width, count in widths if 2 * count >= len(rows)]
    width = max([*map(len, rows[:1]), *usual])
    if lacks_corner(names, rows[1:], width):
        # R writes row names, but no name for their column.
        names = ("", *names)
    names = how.names or unique_names(names, width, notes, is_numbered=not has_header)
    sample = tuple(tuple(row) for row in values[:_SAMPLE_ROWS])
    return Dialect(
        delimiter=delimiter, skipped=skipped, names=names, has_header=has_header, is_spaced=is_spaced, sample=sample
    )


def _titles(body: Sequence[str], delimiter: str, notes: Notes) -> list[str]:
    titles = titles_above(body, delimiter)
    if titles:
        notes.add(
            f"{counted(len(titles), 'line')} above the table {'is' if len(titles) == 1 else 'are'} left out: "
            f"{listed([each.strip()[:80] for each in titles if each.strip()], 3)}."
        )
    return titles


def _preamble(lines: Sequence[str], delimiter: str) -> tuple[str, list[str]]:
    """Returns the delimiter that a `sep=` line specifies, and the lines before the table: that line, and comments."""
    found: list[str] = []
    for line in lines:
        text = line.strip("\r\n")
        if not found and (match := re.fullmatch(r'"?sep=(.)"?', text)):
            delimiter = delimiter or match[1]
        elif not text.startswith("#") and text.strip():
            break
        found.append(line)
    return (delimiter, found) if len(found) < len(lines) else (delimiter, [])


def _parsed(lines: Iterable[str], delimiter: str, *, is_spaced: bool = False) -> list[list[str]]:
    if delimiter == " ":
        lines = [line.rstrip() for line in lines]
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=is_spaced) if row]
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines]


def _rows(body: Sequence[str], delimiter: str, *, is_spaced: bool, is_whole: bool) -> list[list[str]]:
    rows = _parsed(body, delimiter, is_spaced=is_spaced)
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _lines_of_first(body: Sequence[str], delimiter: str, *, is_spaced: bool) -> int:
    """Returns the number of lines of the first row: a quoted name may contain a line break."""
    reader = csv.reader(body, delimiter=delimiter, skipinitialspace=is_spaced)
    try:
        for row in reader:
            if row:
                break
    except csv.Error:
        return 1
    return reader.line_num


def _delimiter(body: Sequence[str], suffix: str, *, is_whole: bool) -> str:
    """Returns the delimiter: the one with which most rows are as wide as the first, respecting quotes."""
    if suffix in {".tsv", ".tab"} and body and "\t" in body[0]:
        # The suffix decides, whatever the cells contain.
        return "\t"
    best, best_score = ",", (0.0, 0, 0, 0)
    for group in (DELIMITERS, _RARE, (" ",)):
        for each in group:
            if not any(each in line for line in body[:1]):
                continue
            rows = _rows(body[: 2 * _SAMPLE_ROWS], each, is_spaced=False, is_whole=is_whole)
            width = len(rows[0]) if rows else 0
            if width < 2 or (each == " " and not all(map(is_number, rows[0]))):
                continue
            share = Counter(map(len, rows))[width] / len(rows)
            # If two delimiters split rows equally well, the right one leaves more numbers, including such as 2,5.
            numbers = sum(is_number(cell.replace(",", ".", 1)) for row in rows[:10] for cell in row)
            score = (share if share < 0.8 else 1.0, width, numbers, -group.index(each))
            if score > best_score:
                best, best_score = each, score
        if best_score[1]:
            break
    return best if best_score[1] or not _is_table_of_spaces(body, is_whole=is_whole) else " "


def _is_aligned(body: Sequence[str]) -> bool:
    """Whether several spaces separate cells or precede the first one, which aligns the columns."""
    return any("  " in line.strip() or line.startswith(" ") for line in body)


def _is_table_of_spaces(body: Sequence[str], *, is_whole: bool) -> bool:
    """Whether spaces split all lines into the same number of cells, with some columns of numbers.

    The names may lack one for the row names, as R and pandas print them.
    """
    rows = _rows(body[: 2 * _SAMPLE_ROWS], " ", is_spaced=True, is_whole=is_whole)
    widths = {len(row) for row in rows[1:]}
    is_quoted = len(body) > 1 and body[1].startswith('"')
    if (
        len(widths) != 1
        or len(rows[0]) < 2 - is_quoted
        or all(_SPACED_NUMBER.fullmatch(line) for line in body[1:] if line.strip())
    ):
        return False
    width = widths.pop()
    has_corner = len(rows[0]) == width - 1 and (body[0].startswith(" ") or is_quoted)
    return (len(rows[0]) == width or has_corner) and any(
        are_numbers([row[at] for row in rows[1:]]) for at in range(width)
    )


def _is_spaced(body: Sequence[str], delimiter: str) -> bool:
    """Whether a space follows each delimiter; these spaces do not belong to the cells."""
    lines = [line for line in body[:20] if delimiter in line]
    return bool(lines) and all(line.count(f"{delimiter} ") == line.count(delimiter) for line in lines)
