"""Tables read by polars without loading them whole: what the first rows say, and figures of all rows.

A CSV file is read as text, so that what is shown is what the file says, to the last digit; figures are computed from
the text that is a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from . import files

Result = TypeVar("Result")

# Text that stands for a value that is not there; the part of pandas' own list that is never anything else.
MISSING: Final = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")
_JSON_ARRAY_BYTES: Final = 256 * 1024**2
# JSON has no columns: a file up to this size is read to its end to find them, of a larger one so many lines.
_SCHEMA_BYTES: Final = 128 * 1024**2
_SCHEMA_LINES: Final = 100_000


@dataclass(frozen=True)
class Scan:
    """A source's rows, not read yet.

    Attributes:
        is_text: whether every column is the file's own text.
        json_paths: where the rows are JSON lines, the files: their numbers are shown as they are written.
        notes: what a person has to know, in sentences.
    """

    frame: pl.LazyFrame
    is_text: bool
    json_paths: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def scan(
    source: str,
    source_uri: str = "",
    *,
    names: Sequence[str] | None = None,
    has_header: bool = True,
    delimiter: str = "",
    is_lenient: bool = False,
) -> Scan:
    """Returns the rows of all files of a source, one below the other; columns are matched by name.

    Args:
        names: of the columns of CSV; every line is then data. A folder's schema.json counts where None.
        has_header: whether the first line of a CSV file holds names.
        delimiter: "" finds it out.
        is_lenient: whether a line of CSV may have more cells than the first; they are left out, and a note says so.

    Raises:
        ValueError: no source, an empty file, or no table; the text is for people.
    """
    paths = [path for path in files.source_files(source, source_uri) if path.stat().st_size]
    if not paths:
        raise ValueError("The file is empty.")
    names = list(names) if names else files.schema_names(source)
    kinds = [_find_kind(path) for path in paths]
    notes: list[str] = []
    frames = []
    for path, kind in zip(paths, kinds, strict=True):
        if kind == "csv":
            frames.append(
                _scan_csv(path, names, notes, has_header=has_header, delimiter=delimiter, is_lenient=is_lenient)
            )
        elif kind == "json":
            frames.append(_scan_json(path, notes))
        else:
            frames.append(_SCANS[kind](path))
    frame = pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]
    is_json = set(kinds) == {"json"}
    return Scan(frame, set(kinds) == {"csv"}, tuple(paths) if is_json else (), tuple(dict.fromkeys(notes)))


def with_scan(use: Callable[[Scan], Result], source: str, source_uri: str = "", **how: Any) -> Result:
    """Returns what `use` makes of a source's rows; lines with too many cells are put up with only if there are any.

    Raises:
        ValueError: as `scan`, or the file is not what it begins as; the text is for people.
    """
    try:
        try:
            return use(scan(source, source_uri, **how))
        except pl.exceptions.ComputeError as error:
            if "truncate_ragged_lines" not in str(error):
                raise
            return use(scan(source, source_uri, **how, is_lenient=True))
    except (pl.exceptions.PolarsError, UnicodeError, OSError, RecursionError, json.JSONDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{source_uri or source} cannot be read as a table: {reason}") from None


def _find_kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512)
        file.seek(max(0, path.stat().st_size - 64))
        end = file.read().rstrip()
    if start.startswith(b"\xff\xff\xff\xff"):
        return "stream"
    kind = files.find_format(path)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if kind == "csv" and text[:1] == b"[" and text[1:].lstrip()[:1] in {b"{", b"]"} and end.endswith(b"]"):
        return "array"
    if kind == "csv" and b"\x00" in start:
        raise ValueError(f"{path.name} is no table: neither CSV, TSV, JSON lines, Parquet nor Arrow (UTF-8).")
    return kind


def _scan_csv(
    path: Path, names: list[str] | None, notes: list[str], *, has_header: bool, delimiter: str, is_lenient: bool
) -> pl.LazyFrame:
    separator = delimiter or ("\t" if path.suffix.lower() == ".tsv" else files.find_delimiter(path))
    frame = pl.scan_csv(
        path,
        separator=separator,
        has_header=has_header and not names,
        infer_schema=False,
        encoding="utf8-lossy",
        truncate_ragged_lines=is_lenient,
    )
    found = frame.collect_schema().names()
    if names and len(names) != len(found):
        raise ValueError(f"{len(names)} column names were given, and {path.name} has {len(found)} columns.")
    if names and len(set(names)) < len(names):
        raise ValueError("Two of the column names are the same.")
    if not has_header and not names:
        names = [f"column_{number}" for number in range(1, len(found) + 1)]
    if names:
        frame = frame.rename(dict(zip(found, names, strict=True)))
    if is_lenient:
        notes.append(f"Some lines have more cells than the first line's {len(found)}; what is beyond is left out.")
    return frame


def _scan_json(path: Path, notes: list[str]) -> pl.LazyFrame:
    if path.stat().st_size >= _SCHEMA_BYTES:
        notes.append(f"The columns are those of the first {_SCHEMA_LINES:,} lines.")
    return pl.scan_ndjson(
        path, infer_schema_length=None if path.stat().st_size < _SCHEMA_BYTES else _SCHEMA_LINES, ignore_errors=False
    )


def _read_array(path: Path) -> pl.LazyFrame:
    if path.stat().st_size > _JSON_ARRAY_BYTES:
        raise ValueError(f"{path.name} is one JSON array of more than 256 MB. As JSON lines it can be read.")
    return pl.read_json(path, infer_schema_length=None).lazy()


_SCANS: Final = {
    "parquet": pl.scan_parquet,
    "arrow": pl.scan_ipc,
    "stream": lambda path: pl.read_ipc_stream(path).lazy(),
    "array": _read_array,
}
