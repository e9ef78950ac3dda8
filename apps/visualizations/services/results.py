"""A render's files in Django's storage: each is written completely before a row refers to it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import BinaryIO

from django.core.files.storage import default_storage
from django.utils import timezone

from apps.stores.content import SavedFile, content_save
from apps.stores.streamed import StoreAwayError
from apps.visualizations.models import Render
from apps.visualizations.services.stored import StoredContent, stored_open

ROOT = "renders"
PATIENCE_S = 20.0
# A slower store counts as away.
_LEAST_BYTES_PER_S = 256 * 1024
logger = logging.getLogger(__name__)


def render_folder(render: Render) -> str:
    """Returns the folder of a render's files; the prefix of the id keeps directories small."""
    return f"{ROOT}/{render.id.hex[:2]}/{render.id}"


def keeping_s(files: Iterable[BinaryIO]) -> float:
    """Returns the most seconds that saving these files may take; the worker keeps its lease that long."""
    return sum(PATIENCE_S + os.fstat(file.fileno()).st_size / _LEAST_BYTES_PER_S for file in files)


def file_save(render: Render, file: BinaryIO, name: str, *, is_vital: bool = True) -> SavedFile:
    """Copies an open file into storage as `<folder>/<attempt>-<name>`.

    Args:
        is_vital: sync to disk before returning; other files may be lost in a power failure.

    Raises:
        StoreFullError: the store has no room left.
        StoreAwayError: the store was away for 20 s.
        OSError: any other error of the disk.
    """
    return _save(f"{render_folder(render)}/{render.attempt}-{name}", file, is_durable=is_vital)


def _save(name: str, file: BinaryIO, *, is_durable: bool) -> SavedFile:
    """Saves a file, retrying while the store is briefly away: finished work must not be lost."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return content_save(default_storage, name, file, is_durable=is_durable)
        except StoreAwayError:
            if time.monotonic() > until:
                raise
            logger.warning("%s: the store of results is away, trying again", name)
            threading.Event().wait(0.5)


def result_open(render: Render, kind: str) -> StoredContent:
    """Opens a render's page ("html") or executed notebook ("ipynb") for verified reading.

    Raises:
        FileNotFoundError: the render has none, or the store has lost it.
        DamagedError: it does not match what was saved, which the row then records. Reading may raise it too.
        StoreAwayError: the store does not answer.
    """
    if kind == "html":
        name, size_bytes, sha256 = render.html.name, render.html_bytes, render.html_sha256
    else:
        name, size_bytes, sha256 = render.notebook.name, render.notebook_bytes, render.notebook_sha256
    if not name:
        raise FileNotFoundError("This render has no such file.")
    return stored_open(name, size_bytes=size_bytes, sha256=sha256, on_damage=lambda: _note_damage(render))


def _note_damage(render: Render) -> None:
    Render.objects.filter(id=render.id, damaged_at=None).update(damaged_at=timezone.now())


def result_is_damaged(render: Render) -> bool:
    """Whether the stored files of a render that was once found damaged are still damaged.

    The files are read again, since they may have been restored. A store that is away changes nothing.
    """
    if render.damaged_at is None:
        return False
    try:
        for kind, field in (("html", render.html), ("ipynb", render.notebook)):
            for _ in result_open(render, kind) if field else ():
                pass
    except OSError:
        return True
    Render.objects.filter(id=render.id).update(damaged_at=None)
    return False


def files_delete(names: list[str]) -> None:
    """Deletes files from storage; ignores "" and missing files."""
    for name in names:
        if name:
            default_storage.delete(name)


def files_list(folder: str) -> tuple[list[str], list[str]]:
    """Returns the names of the folders and of the files directly in a folder; none if it does not exist."""
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def render_files_delete(render: Render) -> None:
    """Deletes everything in a render's folder, and the folder itself if the storage has folders."""
    folder = render_folder(render)
    files_delete([f"{folder}/{name}" for name in files_list(folder)[1]])
    default_storage.delete(folder)
