"""Removing what a render left, however it is shaped: folders a thousand deep, paths longer than a path may be."""

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
    """Removes a directory with all it holds, as far as that is possible; links are removed and not followed.

    `shutil.rmtree` recurses, and gives up where the nesting is deeper than Python's stack or the path too long. Here
    every folder is brought to the top and emptied there, so that no path has more than one step.
    """
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        # A name that nobody who wrote below could have foreseen.
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
    """Opens a folder that its owner may have no right to open, and no link that has taken its name meanwhile."""
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
    """Removes one entry of the top, after its own folders were moved up; returns whether anything changed."""
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
