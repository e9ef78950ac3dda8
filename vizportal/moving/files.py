"""Copying results from one store to another, so that a second call copies only what is new, and comparing both."""

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

# Stores answer slowly and many at once.
_AT_ONCE: Final = 8
_CHUNK: Final = 256 * 1024


@dataclass(slots=True, kw_only=True)
class FilesMoved:
    """What became of the files: how many were copied, were there already, and are missing in the source."""

    copied: int = 0
    there: int = 0
    copied_bytes: int = 0
    missing: list[str] = field(default_factory=list)


def names(using: str, source: Storage) -> Iterator[str]:
    """Yields the name of every file that a row of the database points at, and of every asset."""
    for html, notebook in Render.objects.using(using).order_by("pk").values_list("html", "notebook").iterator():
        yield from filter(None, (html, notebook))
    try:
        listed = source.listdir(ASSETS)[1]
    except FileNotFoundError:
        return
    yield from (f"{ASSETS}/{name}" for name in sorted(listed))


def files_copy(wanted: list[str], source: Storage, target: Storage, on_file: Callable[[], object]) -> FilesMoved:
    """Copies the files that the target lacks, or has with another size.

    Raises:
        OSError: a store does not answer, or its disk is full; what was copied stays.
    """
    moved = FilesMoved()

    def copy(name: str) -> tuple[str, int | None]:
        return name, _copy(name, source, target)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
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
    """Returns the bytes copied; -1 where it was there, None where the source has no such file."""
    size, there = _size(source, name), _size(target, name)
    if size is None or size == there:
        return size if size is None else -1
    if there is not None:
        # Cut short by an earlier call.
        target.delete(name)
    # Some stores send a part again, so they want to go back in what they are given.
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
        # Not every store says by its error that there is no such file.
        if store.exists(name):
            raise
        return None


def files_differing(wanted: list[str], source: Storage, target: Storage, on_file: Callable[[], object]) -> list[str]:
    """Reads every file on both sides and returns the names of those that are not the same, or not on both."""

    def compare(name: str) -> str | None:
        return None if _digest(source, name) == _digest(target, name) else name

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = []
        for name in pool.map(compare, wanted):
            on_file()
            if name is not None:
                found.append(name)
    return found


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
