"""A source's files, and tables read from them. `source` is a path, a pattern, or a folder; "" is no source."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS: Final = (",", "\t", ";", "|")
_HEAD_BYTES: Final = 64 * 1024
# Beside the data, and no part of it: column names of headerless files (KFP 1.x), markers of Spark and of Hadoop.
_NOT_DATA: Final = frozenset({"schema.json", "_SUCCESS", "_metadata", "_common_metadata"})


def source_files(source: str, source_uri: str = "", *, patterns: tuple[str, ...] = ("*",)) -> list[Path]:
    """Returns the regular files of a source, sorted by path; of a folder those below it, to any depth.

    Args:
        source_uri: how people know the source; named in errors.
        patterns: which files of a folder count, by name.

    Raises:
        ValueError: no source, or nothing there; the text is for people.
    """
    if not source:
        raise ValueError("This needs a source: choose an artifact, or give a path.")
    found = [source] if Path(source).exists() else sorted(glob.glob(source))  # noqa: PTH207  (an absolute pattern)
    paths = [path for each in found for path in _below(Path(each), patterns)]
    if not paths:
        wanted = "" if patterns == ("*",) else f" named {' or '.join(patterns)}"
        raise ValueError(f"There is no file{wanted} at {source_uri or source}.")
    return paths


def _below(path: Path, patterns: tuple[str, ...]) -> list[Path]:
    if path.is_file():
        return [path]
    found = {each for pattern in patterns for each in path.rglob(pattern) if each.is_file()}
    return sorted(each for each in found if each.name not in _NOT_DATA and not each.name.startswith("."))


def first_line(path: Path) -> str:
    """Returns a text file's first line, at most 64 kB of it."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).split(b"\n")[0].decode("utf-8", "replace").rstrip("\r")


def find_delimiter(path: Path) -> str:
    """Returns what separates the columns, by the first line: comma, tab, semicolon or bar."""
    line = first_line(path)
    return max(_DELIMITERS, key=line.count)


def find_format(path: Path) -> str:
    """Returns parquet, arrow, json (lines), or csv: by the file's first bytes, since artifacts rarely have a suffix."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"ARROW1"):
        return "arrow"
    return "json" if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else "csv"


def read_table(source: str, source_uri: str = "") -> pd.DataFrame:
    """Reads all of a source's tables as one: CSV, TSV, JSON lines, Parquet or Arrow.

    Kubeflow keeps the column names of headerless CSV files in a schema.json beside them; then those count.

    Raises:
        ValueError: no source, no rows, or no table; the text is for people.
    """
    import pandas as pd

    paths = source_files(source, source_uri)
    names = schema_names(source)
    try:
        frames = [_read(path, names) for path in paths]
    except (ValueError, UnicodeError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{source_uri or source} cannot be read as a table: {reason}") from None
    rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    if rows.empty:
        raise ValueError("The file has no rows.")
    return rows


def schema_names(source: str) -> list[str] | None:
    """Returns the column names in a folder's schema.json, where there is one: KFP 1.x wrote its CSV without."""
    path = Path(source, "schema.json")
    if not path.is_file():
        return None
    return [str(column["name"]) for column in json.loads(path.read_text(encoding="utf-8"))]


def _read(path: Path, names: list[str] | None) -> pd.DataFrame:
    import pandas as pd

    kind = find_format(path)
    if kind == "parquet":
        return pd.read_parquet(path)
    if kind == "arrow":
        return pd.read_feather(path)
    if kind == "json":
        return pd.read_json(path, lines=True)
    return pd.read_csv(path, sep=find_delimiter(path), names=names, header=None if names else "infer")


def column(rows: pd.DataFrame, name: str) -> Any:
    """Returns one column.

    Raises:
        ValueError: there is none of that name; the text lists those there are.
    """
    if name not in rows.columns:
        found = ", ".join(map(str, rows.columns[:40]))
        raise ValueError(f'Column "{name}" is not in the file. Columns found: {found}.')
    return rows[name]


def read_metadata(source: str) -> dict[str, Any] | None:
    """Returns an artifact's metadata where the source is that: artifacts of metrics keep their data there.

    Returns:
        The metadata, such as `{"confusionMatrix": {...}}`; None where the source is a file of data.
    """
    path = Path(source)
    if not path.is_file() or path.stat().st_size > 64 * 1024**2 or find_format(path) != "json":
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
