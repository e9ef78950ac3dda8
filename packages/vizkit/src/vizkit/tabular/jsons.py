"""JSON as rows: lines, arrays, and pandas' `to_json` in every orientation. Values keep their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from ..encoding import text_of
from ..notes import Notes, counted, listed
from .entities import Part
from .kinds import damaged, no_table

_MAX_BYTES: Final = 256 * 1024**2
_SCHEMA_LINES: Final = 100_000
_PLAIN: Final = {float: pl.Float64, str: pl.String, bool: pl.Boolean}
_DECODE_ERRORS: Final = (ValueError, RecursionError)


class Literal(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Makes one of what JSON has."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def open_json(path: Path, head: bytes) -> Part:
    """Returns a file of JSON as rows.

    Raises:
        ValueError: it is no JSON, or no rows; the text is for people.
    """
    notes = Notes()
    if path.stat().st_size > _MAX_BYTES:
        return _open_large(path, head, notes)
    rows = list(_records(load_json(path, notes=notes), path, notes))
    frame, nested = _frame(rows, notes)

    def literal_rows(count: int) -> Iterator[Mapping[str, Any]]:
        return islice(_records(load_json(path, parse_float=Literal), path, Notes()), count)

    return Part(frame=frame.lazy(), notes=notes, total=len(rows), rows=literal_rows, nested=nested)


def _open_large(path: Path, head: bytes, notes: Notes) -> Part:
    if head.lstrip()[:1] != b"{" or b"\n" not in head:
        raise ValueError(f"{path.name} is one JSON value of more than 256 MB. As JSON lines it can be read.")
    notes.add(f"The columns are those of the first {_SCHEMA_LINES:,} lines.")

    def literal_rows(count: int) -> Iterator[Mapping[str, Any]]:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in islice((each for each in file if each.strip()), count):
                row = json.loads(line, parse_float=Literal)
                yield row if isinstance(row, Mapping) else {}

    return Part(frame=pl.scan_ndjson(path, infer_schema_length=_SCHEMA_LINES), notes=notes, rows=literal_rows)


def load_json(path: Path, *, parse_float: Callable[[str], Any] = float, notes: Notes | None = None) -> Any:
    """Returns what a file holds: one JSON value, or the list of those on its lines.

    NaN and Infinity are read as Python writes them. Lines that were cut off at the end are noted.

    Raises:
        ValueError: it is no JSON, or too large; the text is for people.
    """
    notes = Notes() if notes is None else notes
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_BYTES // 1024**2} MB, too large for JSON.")
    text, said = text_of(path)
    notes.add(said)
    first, _, rest = text.lstrip().partition("\n")
    # Two whole values on the first two lines are JSON lines; everything else is tried as one value first.
    if rest.lstrip()[:1] in {"{", "["} and first.rstrip()[-1:] in {"}", "]"}:
        return _lines(text, path, parse_float, notes)
    try:
        return json.loads(text, parse_float=parse_float)
    except RecursionError:
        raise ValueError(f"{path.name} is JSON that is nested too deep to be read.") from None
    except ValueError as error:
        if "\n" in text.strip() and _is_json(first):
            return _lines(text, path, parse_float, notes)
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{path.name} begins as JSON and is none{place}, so it cannot be read as a table.") from None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except _DECODE_ERRORS:
        return False
    return True


def _lines(text: str, path: Path, parse_float: Callable[[str], Any], notes: Notes) -> list[Any]:
    loads = json.JSONDecoder(parse_float=parse_float).decode
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = []
    for number, line in lines:
        try:
            found.append(loads(line))
        except _DECODE_ERRORS:
            if number == lines[-1][0] and not text.endswith("\n"):
                notes.add("The last line is cut off and is left out.")
                break
            raise ValueError(
                f"Line {number:,} of {path.name} is no JSON, so it cannot be read as a table: {line[:80]}"
            ) from None
    return found


# --- Shapes -----------------------------------------------------------------------------------------------------


def _records(found: Any, path: Path, notes: Notes) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, Mapping):
        yield from _of_object(found, path, notes)
        return
    if not isinstance(found, list):
        raise damaged(path.name, "JSON")
    kinds = {type(each) for each in found[:1000]}
    if kinds and kinds <= {list}:
        yield from _of_lists([], found)
    elif kinds and not kinds & {dict, list}:
        yield from ({"value": each} for each in found)
    else:
        rows = [each for each in found if isinstance(each, Mapping)]
        if len(rows) < len(found):
            notes.add(
                f"{counted(len(found) - len(rows), 'item')} of {len(found):,} are no rows (objects) and are left out."
            )
        yield from rows


def _of_lists(names: Sequence[Any], rows: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    width = max((len(row) for row in rows), default=0)
    known = [*map(_name, names), *(f"column_{at}" for at in range(len(names) + 1, width + 1))]
    for row in rows:
        yield dict(zip(known, row, strict=False))


def _name(value: Any) -> str:
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def _of_object(found: Mapping[str, Any], path: Path, notes: Notes) -> Iterator[Mapping[str, Any]]:
    if isinstance(found.get("cells"), list) and "nbformat" in found:
        raise no_table(path.name, "a Jupyter notebook", "Notebook")
    data = found.get("data")
    if isinstance(found.get("columns"), list) and isinstance(data, list):
        index, rows = found.get("index"), list(_of_lists(found["columns"], data))
        if not isinstance(index, list) or index == list(range(len(rows))):
            yield from rows
        else:
            yield from ({"index": _name(at), **row} for at, row in zip(index, rows, strict=False))
        return
    if isinstance(found.get("schema"), Mapping) and isinstance(data, list):
        yield from _records(data, path, notes)
        return
    held = [name for name, each in found.items() if isinstance(each, list) and each and isinstance(each[0], Mapping)]
    if len(held) == 1 and not any(isinstance(each, list | Mapping) for name, each in found.items() if name != held[0]):
        notes.add(f'The rows are those of "{held[0]}".') if held[0] != "data" else None
        yield from _records(found[held[0]], path, notes)
    elif found and all(isinstance(each, Mapping) for each in found.values()):
        yield from _of_objects(found, notes)
    elif found and all(isinstance(each, list) for each in found.values()):
        longest = max(map(len, found.values()))
        if any(len(each) < longest for each in found.values()):
            notes.add("The lists are of different lengths; the shorter ones end in empty cells.")
        for at in range(longest):
            yield {name: each[at] for name, each in found.items() if at < len(each)}
    else:
        yield found


def _of_objects(found: Mapping[str, Any], notes: Notes) -> Iterator[Mapping[str, Any]]:
    """Yields the rows of an object of objects: pandas' `columns`, or `index`, whichever its keys say."""
    inner = list(dict.fromkeys(key for each in found.values() for key in each))
    are_columns = _are_places(inner) or (not _are_places(found) and len(inner) >= len(found))
    if not are_columns:
        is_numbered = _are_places(found)
        for key, row in found.items():
            yield row if is_numbered else {"index": key, **row}
        return
    is_numbered = _are_places(inner)
    if not is_numbered:
        notes.add(
            f"The outer names ({listed(found, 3)}) are taken for columns, the inner ones ({listed(inner, 3)}) for rows."
        )
    for key in inner:
        row = {name: column.get(key) for name, column in found.items()}
        yield row if is_numbered else {"index": key, **row}


def _are_places(keys: Any) -> bool:
    """Whether keys are the numbers of rows, as pandas has them."""
    return all(str(key).isdecimal() for key in keys)


# --- Columns ----------------------------------------------------------------------------------------------------


def _frame(rows: Sequence[Mapping[str, Any]], notes: Notes) -> tuple[pl.DataFrame, frozenset[str]]:
    names = dict.fromkeys(name for row in rows for name in row)
    mixed: list[str] = []
    nested: set[str] = set()
    columns = [_column(name, [row.get(name) for row in rows], mixed, nested) for name in names]
    if mixed:
        notes.add(f"Values of several types are shown as text in {listed(mixed)}.")
    return pl.DataFrame(columns), frozenset(nested)


def _column(name: str, values: list[Any], mixed: list[str], nested: set[str]) -> pl.Series:
    """Returns one column; its name is added to `mixed` or `nested` where its values become text for that reason."""
    kinds = set(map(type, values)) - {type(None)}
    dtype = _PLAIN.get(next(iter(kinds))) if len(kinds) == 1 else None
    if not kinds or dtype is not None:
        return pl.Series(name, values, dtype=pl.Null if dtype is None else dtype)
    if kinds == {int}:
        return _whole_numbers(name, values)
    if kinds == {int, float} and not any(type(each) is int and abs(each) > 2**53 for each in values):
        return pl.Series(name, [None if each is None else float(each) for each in values], dtype=pl.Float64)
    if kinds == {list} and (lists := _lists_of(name, values)) is not None:
        return lists
    (nested.add if kinds <= {dict, list} else mixed.append)(name)
    return pl.Series(name, [cell_text(each) for each in values], dtype=pl.String)


def _whole_numbers(name: str, values: list[Any]) -> pl.Series:
    for dtype in (pl.Int64, pl.UInt64, pl.Int128):
        try:
            return pl.Series(name, values, dtype=dtype, strict=True)
        except (OverflowError, TypeError, pl.exceptions.PolarsError):
            continue
    return pl.Series(name, [None if each is None else str(each) for each in values], dtype=pl.String)


def _lists_of(name: str, values: list[Any]) -> pl.Series | None:
    kinds = {type(item) for each in values if each is not None for item in each} - {type(None)}
    dtype = {int: pl.Int64, float: pl.Float64, str: pl.String}.get(kinds.pop()) if len(kinds) == 1 else None
    try:
        return pl.Series(name, values, dtype=pl.List(dtype), strict=True) if dtype is not None else None
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        return None


def cell_text(value: Any) -> str | None:
    """Returns a JSON value as the text of a cell: texts as they are, numbers as they were written."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Literal):
        return value.text
    return json.dumps(
        value, ensure_ascii=False, default=lambda each: each.hex() if isinstance(each, bytes) else str(each)
    )
