"""A source's files. `source` is a path, a pattern, or a folder; "" is no source."""

from __future__ import annotations

import atexit
import glob
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

_MAX_METADATA_BYTES: Final = 64 * 1024**2
# Beside the data, and no part of it: column names of headerless files (KFP 1.x), markers of Spark, of Hadoop and of
# desktops.
_NOT_DATA: Final = frozenset(
    {"schema.json", "_SUCCESS", "_metadata", "_common_metadata", "Thumbs.db", "desktop.ini", "Icon\r"}
)


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
    return sorted(each for each in found if not is_beside_data(each.relative_to(path)))


def is_beside_data(path: Path) -> bool:
    """Whether a file in a folder or an archive is a marker or a hidden file, and no part of the data."""
    return path.name in _NOT_DATA or path.name.startswith(".") or path.parts[0] == "__MACOSX"


def schema_names(source: str) -> list[str] | None:
    """Returns the column names in a folder's schema.json, where there is one: KFP 1.x wrote its CSV without."""
    path = Path(source, "schema.json")
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    # Other programs have files of that name, which say other things.
    is_list = isinstance(found, list) and all(isinstance(each, dict) and "name" in each for each in found)
    return [str(column["name"]) for column in found] if is_list else None


def read_metadata(source: str) -> dict[str, Any] | None:
    """Returns an artifact's metadata where the source is that: artifacts of metrics keep their data there.

    Returns:
        The metadata, such as `{"confusionMatrix": {...}}`; None where the source is a file of data.
    """
    path = Path(source)
    if not path.is_file() or path.stat().st_size > _MAX_METADATA_BYTES:
        return None
    with path.open("rb") as file:
        if file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
            return None
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def scratch_dir(prefix: str) -> Path:
    """Returns a new folder for copies; it is removed when the process ends, since what reads them may do so late."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
