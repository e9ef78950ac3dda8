"""The files of a source. `source` is a path, a pattern, or a folder; "" means no source."""

from __future__ import annotations

import atexit
import glob
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

_MAX_METADATA_BYTES: Final = 64 * 1024**2
# Next to the data but not part of it: column names of headerless files (KFP 1.x), markers of Spark, Hadoop and
# desktops.
_NOT_DATA: Final = frozenset(
    {"schema.json", "_SUCCESS", "_metadata", "_common_metadata", "Thumbs.db", "desktop.ini", "Icon\r"}
)


def source_files(source: str, source_uri: str = "", *, patterns: tuple[str, ...] = ("*",)) -> list[Path]:
    """Returns the regular files of a source, sorted by path; for a folder those below it, at any depth.

    Args:
        source: the source.
        source_uri: its address as people know it; named in errors.
        patterns: names of files in a folder to include.

    Raises:
        ValueError: there is no source, or it is empty; the text is for people.
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
    """Whether a file in a folder or an archive is a marker or a hidden file, not data."""
    return path.name in _NOT_DATA or path.name.startswith(".") or path.parts[0] == "__MACOSX"


def schema_names(source: str) -> list[str] | None:
    """Returns the column names in a folder's schema.json, if it exists: KFP 1.x wrote its CSV without a header."""
    path = Path(source, "schema.json")
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    # Other programs write files with this name and other contents.
    is_list = isinstance(found, list) and all(isinstance(each, dict) and "name" in each for each in found)
    return [str(column["name"]) for column in found] if is_list else None


def read_metadata(source: str) -> dict[str, Any] | None:
    """Returns an artifact's metadata if the source is metadata: artifacts of metrics keep their data there.

    Returns:
        The metadata, such as `{"confusionMatrix": {...}}`; None if the source is a data file.
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
    """Returns a new folder for copies. It is removed when the process ends, since copies may be read late."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
