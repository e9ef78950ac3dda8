"""Removal of a render's files in any shape: folders nested a thousand deep, paths longer than the system allows."""

from __future__ import annotations

import os
import stat
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path


def tree_remove(path: Path) -> None:
    """Removes a directory with its contents as far as possible; removes links without following them.

    `shutil.rmtree` recurses and gives up if the nesting exceeds Python's stack or the path is too long. This function
    moves every folder to the top and empties it there, so no path has more than one component.
    """
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        # Code that wrote below the directory cannot have guessed this name.
        names = (f".{uuid.uuid4()}-{number}" for number in count())
        has_changed = True
        while has_changed:
            changes = [_empty(name, top, names) for name in os.listdir(top)]  # noqa: PTH208  (of a descriptor)
            has_changed = any(changes)
    finally:
        os.close(top)
    with suppress(OSError):
        path.rmdir()


def _open_folder(name: str, top: int) -> int:
    """Opens a folder, even if its mode denies that to its owner; refuses a link that has meanwhile replaced it."""
    if sys.platform != "linux":
        os.chmod(name, 0o700, dir_fd=top, follow_symlinks=False)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        Path(f"/proc/self/fd/{place}").chmod(0o700)
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    finally:
        os.close(place)


def _empty(name: str, top: int, names: Iterator[str]) -> bool:
    """Moves an entry's folders to the top, then removes the entry; returns whether anything changed."""
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=top)
            return True
        folder = _open_folder(name, top)
    except OSError:
        return False
    try:
        for entry in os.scandir(folder):
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    os.rename(entry.name, next(names), src_dir_fd=folder, dst_dir_fd=top)
                else:
                    os.unlink(entry.name, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        os.rmdir(name, dir_fd=top)
    except OSError:
        return False
    return True
