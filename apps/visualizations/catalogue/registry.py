"""Every type there is: the predefined ones, and those in the folders of VIZPORTAL_TYPES_DIRS."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from apps.visualizations.catalogue.entities import VisualizationType
from apps.visualizations.catalogue.header import TypeFileError, read_type

PREDEFINED_DIR: Final = Path(__file__).with_name("predefined")


class UnknownTypeError(LookupError):
    """No type has that key; the text lists those there are."""


@dataclass(slots=True)
class _Cache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    files: dict[Path, tuple[tuple[int, int], VisualizationType | TypeFileError]] = field(default_factory=dict)


_cache: Final = _Cache()


def types(extra_dirs: Sequence[Path] = ()) -> dict[str, VisualizationType]:
    """Returns the valid types by key, predefined ones first; a file is read again when it changed.

    Of two files with one key the first wins: predefined before extra, folders in order, names sorted.
    """
    found: dict[str, VisualizationType] = {}
    for result in _read_all(extra_dirs):
        if isinstance(result, VisualizationType):
            found.setdefault(result.key, result)
    return found


def get(key: str, extra_dirs: Sequence[Path] = ()) -> VisualizationType:
    """Returns one type by its key, case ignored.

    Raises:
        UnknownTypeError: there is none.
    """
    known = types(extra_dirs)
    try:
        return known[key.lower()]
    except KeyError:
        raise UnknownTypeError(f"There is no visualization type {key[:60]!r}. There are: {', '.join(known)}.") from None


def suggest(artifact_type: str, file_name: str, extra_dirs: Sequence[Path] = ()) -> list[VisualizationType]:
    """Returns every type, those that suit the artifact best first."""
    return sorted(types(extra_dirs).values(), key=lambda each: -each.fits(artifact_type, file_name))


def problems(extra_dirs: Sequence[Path] = ()) -> list[str]:
    """Returns what is wrong with the files there are: one sentence each, empty when all is well."""
    texts = [f"{folder}: no such folder" for folder in extra_dirs if not folder.is_dir()]
    seen: dict[str, str] = {}
    for result in _read_all(extra_dirs):
        if isinstance(result, TypeFileError):
            texts.append(str(result))
        elif result.key in seen:
            texts.append(f"{result.path}: the key {result.key!r} is already taken by {seen[result.key]}")
        else:
            seen[result.key] = str(result.path)
    return texts


def _read_all(extra_dirs: Sequence[Path]) -> list[VisualizationType | TypeFileError]:
    paths = [path for folder in (PREDEFINED_DIR, *extra_dirs) for path in sorted(folder.glob("*.py"))]
    with _cache.lock:
        return [_read_cached(path) for path in paths if not path.name.startswith("_")]


def _read_cached(path: Path) -> VisualizationType | TypeFileError:
    try:
        status = path.stat()
    except OSError as error:
        return TypeFileError(f"{path.name}: {error.strerror}")
    mark = (status.st_mtime_ns, status.st_size)
    known = _cache.files.get(path)
    if known is None or known[0] != mark:
        known = (mark, _read(path))
        _cache.files[path] = known
    return known[1]


def _read(path: Path) -> VisualizationType | TypeFileError:
    try:
        return read_type(path)
    except TypeFileError as error:
        return error
