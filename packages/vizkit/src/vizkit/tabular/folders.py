"""Determines which files of a folder form one table, and the values in their paths."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import polars as pl

from ..headers import is_number
from ..notes import Notes, counted, listed
from . import values
from .entities import Part
from .kinds import head_of, kind_of, packing_of

_KEY: Final = re.compile(r"([^=/]+)=([^=/]*)")
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
_SNIFFED_FILES: Final = 20
_DOCUMENTS: Final = frozenset({".md", ".markdown", ".rst", ".html", ".py", ".yaml", ".yml", ".log"})
_CELLS: Final = re.compile(r"[,;\t|]")


def is_hidden(path: Path, root: Path) -> bool:
    """Whether a file below a folder is bookkeeping of Spark, Delta, or Jupyter."""
    if not path.is_relative_to(root):
        return False
    return any(each.startswith(("_", ".")) for each in path.relative_to(root).parts[:-1])


def current(paths: Sequence[Path], root: Path) -> list[Path]:
    """Returns the files that a Delta table's log has not removed; those of older versions remain next to them."""
    state: dict[str, bool] = {}
    for log in sorted(Path(root, "_delta_log").glob("*.json")):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                action = json.loads(line)
            except ValueError:
                continue
            for name in ("add", "remove"):
                if isinstance(action, dict) and isinstance(action.get(name), dict):
                    state[unquote(str(action[name].get("path", "")))] = name == "add"
    return [
        path for path in paths if not path.is_relative_to(root) or state.get(path.relative_to(root).as_posix(), True)
    ]


def keys_of(paths: Sequence[Path], root: Path) -> dict[Path, dict[str, Any]]:
    """Returns the columns in each file's path, such as `year=2024`, as integers if all values are whole numbers."""
    found = {path: dict(_keys(path, root)) for path in paths}
    names = dict.fromkeys(name for keys in found.values() for name in keys)
    whole = {
        name
        for name in names
        if all(re.fullmatch(r"0|-?[1-9]\d{0,17}", keys.get(name) or "0") for keys in found.values())
    }
    return {
        path: {name: int(value) if name in whole and value is not None else value for name, value in keys.items()}
        for path, keys in found.items()
    }


def _keys(path: Path, root: Path) -> list[tuple[str, str | None]]:
    if not path.is_relative_to(root):
        return []
    matches = (_KEY.fullmatch(each) for each in path.relative_to(root).parts[:-1])
    return [(match[1], None if match[2] == _NO_VALUE else unquote(match[2])) for match in matches if match]


def has_header(paths: Sequence[Path]) -> bool | None:
    """Returns whether several text files begin with the same line of names; None if that is uncertain.

    Files without names begin with lines that differ in every cell.
    """
    lines = [line for path in paths[:_SNIFFED_FILES] if (line := _first_line(path))]
    if len(lines) < 2 or len(lines) < min(len(paths), _SNIFFED_FILES):
        return None
    rows = [[cell.strip(' "') for cell in _CELLS.split(line)] for line in lines]
    if len(set(lines)) == 1:
        return None if all(map(is_number, rows[0])) else True
    first, *others = rows
    differ = all(len(row) == len(first) and not set(row) & set(first) for row in others)
    return False if differ and all(any(map(is_number, row)) for row in rows) else None


def _first_line(path: Path) -> str:
    head = head_of(path)
    try:
        is_text = not packing_of(head) and kind_of(head, path) == "text"
    except ValueError:
        return ""
    return head.partition(b"\n")[0].decode("utf-8", "replace").strip("\ufeff\r") if is_text else ""


def of_one_table(parts: Mapping[Path, Part], notes: Notes) -> dict[Path, Part]:
    """Returns the files that share a column with the main ones, those related to most others or else the largest."""
    columns = {path: set(part.frame.collect_schema().names()) for path, part in parts.items()}
    kinds = Counter(frozenset(names) for names in columns.values() if names)
    if len(kinds) < 2:
        return dict(parts)
    sizes = {names: sum(path.stat().st_size for path in parts if columns[path] == names) for names in kinds}
    data = {frozenset(columns[path]) for path in parts if path.suffix.lower() not in _DOCUMENTS and columns[path]}
    shared = {names: sum(bool(names & other) * kinds[other] for other in kinds) for names in kinds}
    main = max(data or kinds, key=lambda names: (shared[names], sizes[names]))
    chosen = {path: part for path, part in parts.items() if not columns[path] or columns[path] & main}
    others = [path.name for path in parts if path not in chosen]
    if others:
        verb, are = ("shares", "is") if len(others) == 1 else ("share", "are")
        notes.add(
            f"{counted(len(others), 'file')} {verb} no column with the others and {are} left out: {listed(others, 5)}."
        )
    return chosen


def with_keys(part: Part, keys: Mapping[str, Any]) -> Part:
    """Returns a file with the columns from its path, unless it has a column of that name itself."""
    known = part.frame.collect_schema().names()
    added = [
        pl.lit(value, dtype=pl.String if part.is_text else None).alias(name)
        for name, value in keys.items()
        if name not in known
    ]
    return replace(part, frame=part.frame.with_columns(added)) if added else part


def with_types(part: Part) -> Part:
    """Converts the columns of a text file to their types."""
    rows = part.frame.collect()
    columns = [values.typed(each, part.readings.get(each.name, "")) for each in rows.get_columns()]
    return replace(part, frame=pl.DataFrame(columns).lazy())
