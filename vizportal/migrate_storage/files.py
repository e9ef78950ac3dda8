"""Copies results from one store to another and compares both. A second call copies only what is new."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from django.core.files import File
from django.core.files.storage import Storage

from apps.visualizations.models import Render
from apps.visualizations.services.assets import ROOT as ASSETS

# Stores respond slowly but handle many requests at once.
_PARALLEL: Final = 8
_CHUNK: Final = 256 * 1024


@dataclass(slots=True, kw_only=True)
class FilesMoved:
    """The numbers of files copied and of those that already existed, and the names of those missing in the source."""

    copied: int = 0
    there: int = 0
    copied_bytes: int = 0
    missing: list[str] = field(default_factory=list)


def names(using: str, source: Storage) -> Iterator[str]:
    """Yields the name of every file that a row of the database refers to, and of every asset."""
    for html, notebook in Render.objects.using(using).order_by("pk").values_list("html", "notebook").iterator():
        yield from filter(None, (html, notebook))
    try:
        listed = source.listdir(ASSETS)[1]
    except FileNotFoundError:
        return
    yield from (f"{ASSETS}/{name}" for name in sorted(listed))


def files_copy(wanted: list[str], source: Storage, target: Storage, on_file: Callable[[], object]) -> FilesMoved:
    """Copies the files that are missing in the target, or have a different size there.

    Raises:
        OSError: a store does not answer, or its disk is full. Files already copied stay.
    """
    moved = FilesMoved()

    def copy(name: str) -> tuple[str, int | None]:
        return name, _copy(name, source, target)

    with ThreadPoolExecutor(_PARALLEL) as pool:
        for name, size in pool.map(copy, wanted):
            if size is None:
                moved.missing.append(name)
            elif size < 0:
                moved.there += 1
            else:
                moved.copied += 1
                moved.copied_bytes += size
            on_file()
    return moved


def _copy(name: str, source: Storage, target: Storage) -> int | None:
    """Returns the bytes copied; -1 if the target has the file, None if the source lacks it."""
    size, there = _size(source, name), _size(target, name)
    if size is None or size == there:
        return size if size is None else -1
    if there is not None:
        # An earlier call was interrupted.
        target.delete(name)
    # Some stores resend parts, so they need a seekable file.
    with source.open(name) as file, tempfile.TemporaryFile() as spool:
        for chunk in file.chunks(_CHUNK):
            spool.write(chunk)
        spool.seek(0)
        saved = target.save(name, File(spool))
    if saved != name:
        target.delete(saved)
        raise FileExistsError(f"{name} appeared in the target meanwhile; is something else writing there?")
    return size


def _size(store: Storage, name: str) -> int | None:
    try:
        return store.size(name)
    except OSError:
        # Not every store raises FileNotFoundError.
        if store.exists(name):
            raise
        return None


def files_differing(wanted: list[str], source: Storage, target: Storage, on_file: Callable[[], object]) -> list[str]:
    """Reads every file in both stores; returns the names of those that differ or are missing in one."""

    def compare(name: str) -> str | None:
        return None if _digest(source, name) == _digest(target, name) else name

    with ThreadPoolExecutor(_PARALLEL) as pool:
        differing = []
        for name in pool.map(compare, wanted):
            on_file()
            if name is not None:
                differing.append(name)
    return differing


def _digest(store: Storage, name: str) -> str:
    digest = hashlib.sha256()
    try:
        file = store.open(name)
    except FileNotFoundError:
        return ""
    with file:
        for chunk in file.chunks(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
