"""A render's files in Django's storage: written whole before any row points at them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files import File
from django.core.files.storage import default_storage

from apps.visualizations.models import Render

_CHUNK = 1024**2
ROOT = "renders"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file in storage, by the name it is found under."""

    name: str
    size_bytes: int
    sha256: str


class _Movable(File):  # type: ignore[type-arg]
    """A file that the storage may take by renaming: on one disk a result appears whole or not at all."""

    def temporary_file_path(self) -> str:
        """What FileSystemStorage asks for before it renames instead of copying."""
        return str(self.name)


def render_folder(render: Render) -> str:
    """Returns the folder of a render's files: the id's first two digits keep folders small."""
    return f"{ROOT}/{render.id.hex[:2]}/{render.id}"


def file_save(render: Render, path: Path, name: str, *, is_vital: bool = True) -> SavedFile:
    """Moves a regular file into storage as `<folder>/<attempt>-<name>`.

    Args:
        is_vital: on the disk before any row says so; the rest may be lost with the machine's power.

    Raises:
        OSError: it is no regular file, a link, or the disk is full.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        digest = _digest(file)
        size_bytes = file.tell()
        if is_vital:
            os.fsync(file.fileno())
        file.seek(0)
        saved = default_storage.save(f"{render_folder(render)}/{render.attempt}-{name}", _Movable(file, name=str(path)))
    return SavedFile(name=saved, size_bytes=size_bytes, sha256=digest)


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


def render_files_delete(render: Render) -> None:
    """Deletes everything in a render's folder, and the folder where the storage has such a thing."""
    folder = render_folder(render)
    if not default_storage.exists(folder):
        return
    _, names = default_storage.listdir(folder)
    files_delete([f"{folder}/{name}" for name in names])
    default_storage.delete(folder)
