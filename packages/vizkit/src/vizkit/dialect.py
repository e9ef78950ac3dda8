"""How delimited text is written: what separates its cells, where rows begin, whether the first line holds names.

Uses the standard library only: the portal's previews find it out in the same way as the types do.
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

from .notes import Notes, counted, listed

DELIMITERS: Final = (",", "\t", ";", "|")
# Hive's own, and what people use who have all of the others in their texts.
_RARE: Final = ("\x01", "\x1f", "^", "~")
_SAMPLE_ROWS: Final = 100
_SAMPLE_LINES: Final = 300
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf)\s*", re.ASCII)
_WHOLE: Final = re.compile(r"\s*\d+\s*", re.ASCII)
_YEARS: Final = range(1800, 2201)
csv.field_size_limit(2**31 - 1)


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
class Dialect:
    """How one file is written.

    Attributes:
        skipped: lines before the first row of values, the names' own line among them.
        is_spaced: whether a space follows each delimiter.
        sample: the first rows of values.
    """

    delimiter: str
    skipped: int
    names: tuple[str, ...]
    has_header: bool
    is_spaced: bool
    sample: tuple[tuple[str, ...], ...]


def is_number(cell: str) -> bool:
    """Whether a cell is a number, and not a name."""
    return _NUMBER.fullmatch(cell) is not None


def find_dialect(head: str, how: How, notes: Notes, *, is_whole: bool, suffix: str = "") -> Dialect:
    """Returns how text is written; what is assumed is noted.

    Args:
        head: the text's beginning, its line ends as they are.
        is_whole: whether it is all there is, so that its last line is whole.
    """
    text = io.StringIO(head, newline="")
    lines = list(itertools.islice(text, _SAMPLE_LINES))
    is_whole = is_whole and not text.read(1)
    delimiter, preamble = _preamble(lines, how.delimiter)
    body = lines[len(preamble) :]
    delimiter = delimiter or _delimiter(body, suffix, is_whole=is_whole)
    is_spaced = delimiter != " " and _is_spaced(body, delimiter)
    rows = _rows(body, delimiter, is_spaced=is_spaced, is_whole=is_whole)
    told = _header_in(preamble, rows, delimiter)
    if told and how.has_header is None and not how.names:
        names, values, skipped, has_header = told, rows, len(preamble), True
        preamble = preamble[:-1]
    else:
        has_header = not how.names and (how.has_header if how.has_header is not None else not _are_values(rows))
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
    # Most rows may be wider than the first, which then lacks names for what is in them.
    widths = Counter(len(row) for row in rows[1:]).most_common(1)
    usual = [width for width, count in widths if 2 * count >= len(rows)]
    width = max([*map(len, rows[:1]), *usual])
    names = how.names or unique_names(names, width, notes, is_numbered=not has_header)
    sample = tuple(tuple(row) for row in values[:_SAMPLE_ROWS])
    return Dialect(
        delimiter=delimiter, skipped=skipped, names=names, has_header=has_header, is_spaced=is_spaced, sample=sample
    )


def _preamble(lines: Sequence[str], delimiter: str) -> tuple[str, list[str]]:
    """Returns the delimiter that a `sep=` line says, and the lines before the table: that one, and comments."""
    found: list[str] = []
    for line in lines:
        text = line.strip()
        if not found and (match := re.fullmatch(r'"?sep=(.)"?', text)):
            delimiter = delimiter or match[1]
        elif not text.startswith("#") and text:
            break
        found.append(line)
    return (delimiter, found) if len(found) < len(lines) else (delimiter, [])


def _header_in(preamble: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, ...]:
    """Returns the names that the last comment holds, as `np.savetxt` writes them; () where it holds none."""
    if not preamble or not rows or not preamble[-1].startswith("#"):
        return ()
    cells = next(csv.reader([preamble[-1].lstrip("# ").rstrip("\r\n")], delimiter=delimiter), [])
    is_header = len(cells) == len(rows[0]) > 1 and not any(map(is_number, cells)) and any(map(is_number, rows[0]))
    return tuple(each.strip() for each in cells) if is_header else ()


def _parsed(lines: Iterable[str], delimiter: str, *, is_spaced: bool = False) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=is_spaced) if row]
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines]


def _rows(body: Sequence[str], delimiter: str, *, is_spaced: bool, is_whole: bool) -> list[list[str]]:
    rows = _parsed(body, delimiter, is_spaced=is_spaced)
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _lines_of_first(body: Sequence[str], delimiter: str, *, is_spaced: bool) -> int:
    """Returns over how many lines the first row goes: a quoted name may hold an end of line."""
    reader = csv.reader(body, delimiter=delimiter, skipinitialspace=is_spaced)
    try:
        for row in reader:
            if row:
                break
    except csv.Error:
        return 1
    return reader.line_num


def _delimiter(body: Sequence[str], suffix: str, *, is_whole: bool) -> str:
    """Returns what separates the cells: what makes the most rows as wide as the first, quotes respected."""
    if suffix in {".tsv", ".tab"} and body and "\t" in body[0]:
        # The name says it, whatever stands in the cells.
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
            # Of two that part rows alike the right one leaves more numbers, 2,5 among them.
            numbers = sum(is_number(cell.replace(",", ".", 1)) for row in rows[:10] for cell in row)
            score = (share if share < 0.8 else 1.0, width, numbers, -group.index(each))
            if score > best_score:
                best, best_score = each, score
        if best_score[1]:
            break
    return best


def _is_spaced(body: Sequence[str], delimiter: str) -> bool:
    """Whether a space follows each delimiter: those spaces are no part of the cells."""
    lines = [line for line in body[:20] if delimiter in line]
    return bool(lines) and all(line.count(f"{delimiter} ") == line.count(delimiter) for line in lines)


def _are_values(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row holds values like those below it, so that the file has no header."""
    if not rows:
        return False
    first, below = rows[0], rows[1 : 1 + _SAMPLE_ROWS]
    # A column may well be called inf.
    numeric = [at for at, cell in enumerate(first) if is_number(cell) and cell.strip() != "inf"]
    if not numeric or _are_labels(first, [first[at] for at in numeric]):
        return False
    if not below:
        return len(numeric) == len(first)
    columns = ([row[at] for row in below if at < len(row) and row[at].strip()] for at in numeric)
    return all(column and sum(map(is_number, column)) >= len(column) * 0.8 for column in columns)


def _are_labels(first: Sequence[str], numbers: Sequence[str]) -> bool:
    """Whether numbers in a first row are names of columns: 0, 1, 2 as pandas numbers them, or years."""
    if not all(_WHOLE.fullmatch(each) for each in numbers):
        return False
    values = [int(each) for each in numbers]
    steps = {after - before for before, after in itertools.pairwise(values)}
    others = [cell for cell in first if not is_number(cell)]
    if values[0] in {0, 1} and steps == {1} and not any(others):
        return True
    if values == [0] and others == [""]:
        return True
    return len(values) > 1 and len(steps) == 1 and min(steps) > 0 and all(each in _YEARS for each in values)


def unique_names(names: Sequence[str], width: int, notes: Notes, *, is_numbered: bool = False) -> tuple[str, ...]:
    """Returns a name for each column, each another: nameless ones are numbered, and of equal ones the later ones."""
    given = [each.strip("\ufeff") for each in names] + [""] * (width - len(names))
    taken, found, renamed, nameless = set(given), [], [], []
    for at, name in enumerate(given, 1):
        chosen, count = name, 1
        if not name:
            chosen = f"column_{at}"
            while chosen in taken:
                chosen += "_"
            nameless.append(chosen)
        while chosen in found:
            count += 1
            chosen = f"{name} ({count})" if f"{name} ({count})" not in taken else chosen
        if name and chosen != name:
            renamed.append(chosen)
        found.append(chosen)
    if renamed:
        notes.add(f"Columns have the same name; the later ones are called {listed(renamed)}.")
    if nameless and not is_numbered:
        notes.add(f"{counted(len(nameless), 'column')} without a name: called {listed(nameless)}.")
    return tuple(found)
