"""Every type there is: the predefined ones, those in the folders of VIZPORTAL_TYPES_DIRS, and what callers add.

A folder's files stand above the predefined ones: who puts a `table.py` into a folder means it. Only CUSTOM cannot be
replaced, since its key is what ALLOW_CUSTOM_VISUALIZATIONS is about. What callers add replaces no file, and comes
before none that suits an artifact.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vizkit import PREDEFINED_DIR
from vizkit.types.entities import CUSTOM_KEY, VisualizationType
from vizkit.types.header import TypeFileError, has_header, read_text, read_type
from vizkit.types.headerless import read_headerless
from vizkit.types.notebooks import MAX_NOTEBOOK_BYTES, read_notebook

_PLAINEST: Final = "table"


class UnknownTypeError(LookupError):
    """No type has that key; the text lists those there are."""


@dataclass(slots=True)
class _Cache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    files: dict[Path, tuple[tuple[int, int], VisualizationType | TypeFileError]] = field(default_factory=dict)


_cache: Final = _Cache()


def types(extra_dirs: Sequence[Path] = (), more: Iterable[VisualizationType] = ()) -> dict[str, VisualizationType]:
    """Returns the valid types by key, predefined ones first; a file is read again when it changed.

    Of two files with one key that in a folder wins over the predefined one, and of two in folders the first: folders in
    order, names sorted, `.py` before `.ipynb`.

    Args:
        more: types that are no files; a file with the same key wins.
    """
    found: dict[str, VisualizationType] = {}
    own: set[str] = set()
    for result in _read_all(extra_dirs):
        if isinstance(result, TypeFileError):
            continue
        if result.key not in found or (is_extra(result) and result.key not in own and not result.is_custom):
            found[result.key] = result
            own |= {result.key} if is_extra(result) else set()
    return found | {each.key: each for each in more if each.key not in found}


def is_extra(kind: VisualizationType) -> bool:
    """Whether a type comes from one of the folders."""
    return kind.path is not None and kind.path.parent != PREDEFINED_DIR


def get(key: str, extra_dirs: Sequence[Path] = (), more: Iterable[VisualizationType] = ()) -> VisualizationType:
    """Returns one type by its key, case ignored.

    Raises:
        UnknownTypeError: there is none.
    """
    known = types(extra_dirs, more)
    try:
        return known[key.lower()]
    except KeyError:
        raise UnknownTypeError(f"There is no visualization type {key[:60]!r}. There are: {', '.join(known)}.") from None


def suggest(
    artifact_type: str,
    file_name: str,
    extra_dirs: Sequence[Path] = (),
    *,
    tfx_type: str = "",
    more: Iterable[VisualizationType] = (),
) -> list[VisualizationType]:
    """Returns every type that reads artifacts, those that suit this one best first; of equals the plainest view.

    Args:
        more: types that are no files. Whatever their patterns, the first that suits stays a file's where there is one.
    """
    known = [each for each in types(extra_dirs, more).values() if not each.reads_results]
    fits = {each.key: each.fits(artifact_type, file_name, tfx_type) for each in known}
    best = max((fits[each.key] for each in known if each.path), default=0)
    for each in known:
        if each.path is None and best:
            fits[each.key] = min(fits[each.key], best)
    return sorted(known, key=lambda each: (-fits[each.key], each.key != _PLAINEST))


def problems(extra_dirs: Sequence[Path] = ()) -> list[str]:
    """Returns what is wrong with the files there are: one sentence each, empty when all is well."""
    texts = [f"{folder}: no such folder" for folder in extra_dirs if not folder.is_dir()]
    seen: dict[str, str] = {}
    for result in _read_all(extra_dirs):
        if isinstance(result, TypeFileError):
            texts.append(str(result))
        elif result.is_custom and is_extra(result):
            texts.append(f"{result.path}: the key {CUSTOM_KEY!r} cannot be replaced")
        elif is_extra(result) and result.key in seen:
            texts.append(f"{result.path}: the key {result.key!r} is already taken by {seen[result.key]}")
        elif is_extra(result):
            seen[result.key] = str(result.path)
    return texts


def _read_all(extra_dirs: Sequence[Path]) -> list[VisualizationType | TypeFileError]:
    paths = sorted(PREDEFINED_DIR.glob("*.py"))
    for folder in extra_dirs:
        paths += [*sorted(folder.glob("*.py")), *sorted(folder.glob("*.ipynb"))]
    with _cache.lock:
        return [_read_cached(path) for path in paths if not path.name.startswith(("_", "."))]


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
        if path.suffix == ".ipynb":
            return read_notebook(path, read_text(path, MAX_NOTEBOOK_BYTES))
        text = read_text(path)
        # Only in folders are there files that were not written for the portal.
        if has_header(text) or path.parent == PREDEFINED_DIR:
            return read_type(path, text)
        return read_headerless(path, text)
    except TypeFileError as error:
        return error
