"""JSON as rows: lines, arrays, and pandas' `to_json` in every orientation. Values keep their types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..headers import unique_names
from ..notes import Notes, counted, listed
from .entities import Part
from .json_text import MAX_BYTES, Literal, load_json
from .kinds import damaged, no_table

_SCHEMA_LINES: Final = 100_000
_PLAIN: Final = {float: pl.Float64, str: pl.String, bool: pl.Boolean}


def open_json(path: Path, head: bytes) -> Part:
    """Opens a JSON file as rows.

    Raises:
        ValueError: it is not JSON, or contains no rows; the text is for people.
    """
    notes = Notes()
    if path.stat().st_size > MAX_BYTES:
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


# --- Shapes -----------------------------------------------------------------------------------------------------


def _records(found: Any, path: Path, notes: Notes) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, Mapping):
        yield from _of_object(found, path, notes)
        return
    if not isinstance(found, list):
        raise damaged(path.name, "JSON")
    kinds = {type(each) for each in found[:1000]}
    if kinds and kinds <= {list}:
        has_names = _are_names(found)
        if has_names:
            notes.add("The columns are named by the first list.")
        yield from _of_lists(found[0], found[1:], notes) if has_names else _of_lists([], found, notes)
    elif kinds and not kinds & {dict, list}:
        yield from ({"value": each} for each in found)
    else:
        rows = [each for each in found if isinstance(each, Mapping)]
        if len(rows) < len(found):
            notes.add(
                f"{counted(len(found) - len(rows), 'item')} of {len(found):,} are not rows (objects) and are left out."
            )
        yield from rows


def _are_names(lists: Sequence[Sequence[Any]]) -> bool:
    """Whether the first list contains texts above lists that contain other values at some position."""
    first, below = lists[0], lists[1:]
    if not below or not all(isinstance(each, str) and each for each in first) or len(set(first)) < len(first):
        return False
    columns = ([row[at] for row in below if at < len(row) and row[at] is not None] for at in range(len(first)))
    return any(column and not any(isinstance(each, str) for each in column) for column in columns)


def _of_lists(names: Sequence[Any], rows: Sequence[Any], notes: Notes) -> Iterator[Mapping[str, Any]]:
    width = max((len(row) for row in rows), default=0)
    known = unique_names([*map(_name, names)], max(width, len(names)), notes, is_numbered=not names)
    for row in rows:
        yield dict(zip(known, row, strict=False))


def _name(value: Any) -> str:
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def _of_object(found: Mapping[str, Any], path: Path, notes: Notes) -> Iterator[Mapping[str, Any]]:
    if isinstance(found.get("cells"), list) and "nbformat" in found:
        raise no_table(path.name, "a Jupyter notebook", "Notebook")
    data, index = found.get("data"), found.get("index")
    if isinstance(data, list) and set(found) == {"name", "index", "data"} and isinstance(index, list):
        found = {"columns": [found["name"] or "value"], "index": index, "data": [[each] for each in data]}
        data = found["data"]
    if isinstance(found.get("columns"), list) and isinstance(data, list):
        rows = list(_of_lists(found["columns"], data, notes))
        if not isinstance(index, list) or index == list(range(len(rows))):
            yield from rows
        else:
            yield from ({"index": _name(at), **row} for at, row in zip(index, rows, strict=False))
        return
    if isinstance(found.get("schema"), Mapping) and isinstance(data, list):
        yield from _without_numbers(list(_records(data, path, notes)), found["schema"])
        return
    yield from _of_names(found, path, notes)


def _without_numbers(rows: list[Mapping[str, Any]], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields the rows of pandas' `table` orientation without row numbers, which are its unnamed index."""
    is_numbered = schema.get("primaryKey") == ["index"] and all(row.get("index") == at for at, row in enumerate(rows))
    for row in rows:
        yield {name: value for name, value in row.items() if name != "index"} if is_numbered else row


def _of_names(found: Mapping[str, Any], path: Path, notes: Notes) -> Iterator[Mapping[str, Any]]:
    held = _held(found)
    inner = next(iter(found.values()), None)
    if held:
        others = [name for name in found if name != held]
        if held != "data" or others:
            left = f"; left out: {listed(others, 5)}" if others else ""
            notes.add(f'The rows are those of "{held}"{left}.')
        yield from _records(found[held], path, notes)
    elif len(found) == 1 and isinstance(inner, Mapping) and _held(inner):
        yield from _of_names(inner, path, notes)
    elif found and all(isinstance(each, Mapping) for each in found.values()):
        yield from _of_objects(found, notes)
    elif found and all(isinstance(each, list) for each in found.values()):
        longest = max(map(len, found.values()))
        if any(len(each) < longest for each in found.values()):
            notes.add("The lists are of different lengths; the shorter ones end in empty cells.")
        for at in range(longest):
            yield {name: each[at] for name, each in found.items() if at < len(each)}
    elif len(found) > 1 and list(found) == [str(at) for at in range(len(found))]:
        # A pandas series.
        yield from ({"value": each} for each in found.values())
    elif found:
        yield found


def _held(found: Mapping[str, Any]) -> str:
    """Returns the key of an object that holds rows; "" if none or several do."""
    held = [name for name, each in found.items() if isinstance(each, list) and each and isinstance(each[0], Mapping)]
    return held[0] if len(held) == 1 else ""


def _of_objects(found: Mapping[str, Any], notes: Notes) -> Iterator[Mapping[str, Any]]:
    """Yields the rows of an object of objects, in pandas' `columns` or `index` orientation as its content suggests."""
    inner = list(dict.fromkeys(key for each in found.values() for key in each))
    is_numbered = _are_places(inner) or _are_places(found)
    are_columns = _are_places(inner) or (not _are_places(found) and _are_columns(found, inner))
    if not is_numbered:
        names = [f"the outer names ({listed(found, 3)})", f"the inner ones ({listed(inner, 3)})"]
        parts = ("columns", "rows") if are_columns else ("rows", "columns")
        notes.add(f"T{names[0][1:]} are read as {parts[0]}, {names[1]} as {parts[1]}.")
    if not are_columns:
        for key, row in found.items():
            yield row if is_numbered else {"index": key, **row}
        return
    for key in inner:
        row = {name: column.get(key) for name, column in found.items()}
        yield row if is_numbered else {"index": key, **row}


def _are_columns(found: Mapping[str, Mapping[str, Any]], inner: Sequence[str]) -> bool:
    """Whether the outer names are columns: the values of a column have one type, those of a row need not."""
    outer = sum(_is_mixed(each.values()) for each in found.values())
    across = sum(_is_mixed([each.get(key) for each in found.values()]) for key in inner)
    return outer < across if outer != across else len(inner) >= len(found)


def _is_mixed(values: Iterable[Any]) -> bool:
    kinds = {float if isinstance(each, int | float) and not isinstance(each, bool) else type(each) for each in values}
    return len(kinds - {type(None)}) > 1


def _are_places(keys: Any) -> bool:
    """Whether keys are row numbers, as in pandas."""
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
    """Returns one column; adds its name to `mixed` or `nested` if its values become text for that reason."""
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
    """Returns a JSON value as the text of a cell: texts unchanged, numbers as written."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Literal):
        return value.text
    return json.dumps(
        value, ensure_ascii=False, default=lambda each: each.hex() if isinstance(each, bytes) else str(each)
    )
