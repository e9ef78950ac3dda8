"""A render's files in Django's storage: written whole before any row points at them."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.core.files import File
from django.core.files.storage import default_storage

from apps.visualizations.models import Render
from apps.visualizations.stores.streamed import StoreAwayError

_CHUNK = 1024**2
ROOT = "renders"
_PATIENCE_S = 20.0
# A slower store is none.
_LEAST_BYTES_PER_S = 256 * 1024
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file in storage, by the name it is found under."""

    name: str
    size_bytes: int
    sha256: str


def render_folder(render: Render) -> str:
    """Returns the folder of a render's files: the id's first two digits keep folders small."""
    return f"{ROOT}/{render.id.hex[:2]}/{render.id}"


def keeping_s(files: Iterable[BinaryIO]) -> float:
    """Returns how many seconds it may take at most to save these files; so long the render is still its worker's."""
    return sum(_PATIENCE_S + os.fstat(file.fileno()).st_size / _LEAST_BYTES_PER_S for file in files)


def file_save(render: Render, file: BinaryIO, name: str, *, is_vital: bool = True) -> SavedFile:
    """Copies an open file into storage as `<folder>/<attempt>-<name>`.

    Args:
        is_vital: on the disk before any row says so; the rest may be lost with the machine's power.

    Raises:
        OSError: the disk is full, or the store was away for 20 s (StoreAwayError).
    """
    digest = _digest(file)
    size_bytes = file.tell()
    if is_vital:
        os.fsync(file.fileno())
    saved = _save(f"{render_folder(render)}/{render.attempt}-{name}", file)
    return SavedFile(name=saved, size_bytes=size_bytes, sha256=digest)


def _save(name: str, file: BinaryIO) -> str:
    """Saves a file; a store that is away for a moment must not cost the work that is done."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        file.seek(0)
        try:
            return default_storage.save(name, File(file, name=name))
        except StoreAwayError:
            if time.monotonic() > until:
                raise
            logger.warning("%s: the store of results is away, trying again", name)
            threading.Event().wait(0.5)


def _digest(file: object) -> str:
    digest = hashlib.sha256()
    while chunk := cast("BinaryIO", file).read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def files_delete(names: list[str]) -> None:
    """Deletes files from storage; a name that is "" or not there is passed over."""
    for name in names:
        if name:
            default_storage.delete(name)


def files_list(folder: str) -> tuple[list[str], list[str]]:
    """Returns the names of the folders and of the files right below a folder; none where it is not there."""
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def render_files_delete(render: Render) -> None:
    """Deletes everything in a render's folder, and the folder where the storage has such a thing."""
    folder = render_folder(render)
    files_delete([f"{folder}/{name}" for name in files_list(folder)[1]])
    default_storage.delete(folder)
