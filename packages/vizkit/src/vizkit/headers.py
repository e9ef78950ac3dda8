"""Detects where a text names its columns: above the table, in a comment, in its first row, or nowhere.

Standard library only, like `dialect`.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from typing import Final

from .notes import Notes, counted, listed

DELIMITERS: Final = (",", "\t", ";", "|")
# Texts for a missing value: pandas' own list, which never means anything else, and Excel's errors.
MISSING: Final = (
    "", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "None", "<NA>", "#N/A", "#N/A N/A", "#NA",
    "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!",
)  # fmt: skip
_MAX_TITLES: Final = 12
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf)\s*", re.ASCII)
_WHOLE: Final = re.compile(r"\s*\d+\s*", re.ASCII)
_YEARS: Final = range(1800, 2201)
_SAMPLE_ROWS: Final = 100


def is_number(cell: str) -> bool:
    """Whether a cell is a number instead of a name."""
    return _NUMBER.fullmatch(cell) is not None


def names_in_comment(preamble: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, ...]:
    """Returns the names in the last comment, as `np.savetxt` writes them; () if it contains none."""
    if not preamble or not rows or not preamble[-1].startswith("#"):
        return ()
    line = preamble[-1].rstrip("\r\n")
    bare = line.lstrip("# ")
    # A column may be called #.
    cells = next(csv.reader([line if bare.startswith(delimiter) else bare], delimiter=delimiter), [])
    is_header = len(cells) == len(rows[0]) > 1 and not any(map(is_number, cells)) and any(map(is_number, rows[0]))
    return tuple(each.strip() for each in cells) if is_header else ()


def titles_above(body: Sequence[str], delimiter: str) -> list[str]:
    """Returns the title lines above the table: lines with one cell, followed by names and numbers."""
    if not body or any(_count_cells(next(csv.reader([body[0]], delimiter=each), [])) > 1 for each in DELIMITERS):
        return []
    for each in (delimiter,) if delimiter else DELIMITERS:
        rows = [next(csv.reader([line], delimiter=each), []) for line in body[: 2 * _MAX_TITLES]]
        at = next((at for at, row in enumerate(rows) if _count_cells(row) > 1), 0)
        below = [row for row in rows[at + 1 :] if row]
        # A quoted name may extend over several lines.
        is_cut = any(line.count('"') % 2 for line in body[: at + 1])
        if not 0 < at <= _MAX_TITLES or is_cut or not any(rows[0]) or not below:
            continue
        names, widths = rows[at], {len(row) for row in below}
        is_header = all(names) and len(set(names)) == len(names) and not any(map(is_number, names))
        if is_header and widths == {len(names)} and _stands_over_numbers(names, below):
            return list(body[:at])
    return []


def _count_cells(row: Sequence[str]) -> int:
    """Returns the number of cells that are not empty."""
    return sum(bool(cell.strip()) for cell in row)


def _stands_over_numbers(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has a word above a column of numbers, which makes it a name."""
    for at, cell in enumerate(first):
        column = [row[at] for row in below if at < len(row) and row[at].strip() not in MISSING]
        if cell.strip() not in {*MISSING, "?", "-", "."} and not are_numbers([cell]) and are_numbers(column):
            return True
    return False


def are_numbers(cells: Sequence[str]) -> bool:
    """Whether there are cells and all are numbers, with or without a decimal comma."""
    return bool(cells) and all(is_number(each.replace(",", ".", 1)) for each in cells)


def lacks_corner(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a header has one name less than the rows have cells, because the first cell is the row's name."""
    whole = [row for row in rows if len(row) == width]
    is_named = len(names) > 1 or all(is_number(row[-1]) for row in whole)
    return 0 < len(names) == width - 1 and is_named and bool(whole) and any(row[-1].strip() for row in whole)


def are_values(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row contains values like those below it, so that the file has no header."""
    if not rows:
        return False
    first, below = rows[0], rows[1 : 1 + _SAMPLE_ROWS]
    if _stands_over_numbers(first, below):
        return False
    # A column may well be called inf.
    numeric = [at for at, cell in enumerate(first) if is_number(cell) and cell.strip() != "inf"]
    if not numeric or _are_labels(first, [first[at] for at in numeric]) or _number_fractions(first, below, numeric):
        return False
    if not below:
        return len(numeric) == len(first)
    columns = ([row[at] for row in below if at < len(row) and row[at].strip()] for at in numeric)
    return all(column and sum(map(is_number, column)) >= len(column) * 0.8 for column in columns)


def _number_fractions(first: Sequence[str], below: Sequence[Sequence[str]], numeric: Sequence[int]) -> bool:
    """Whether 0, 1, 2 are above columns of fractions: they are numbers of classes, whose scores the fractions are."""
    numbers = [first[at].strip() for at in numeric]
    if len(numbers) < 2 or numbers not in ([str(at + start) for at in range(len(numbers))] for start in (0, 1)):
        return False
    return all(any("." in row[at] for row in below if at < len(row)) for at in numeric)


def _are_labels(first: Sequence[str], numbers: Sequence[str]) -> bool:
    """Whether numbers in a first row are column names: 0, 1, 2 as pandas numbers them, or years."""
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
    """Returns unique column names: nameless columns get their number, later duplicates a suffix; notes the changes."""
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
