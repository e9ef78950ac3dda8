"""The disk space that a render uses, including unnamed files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from .memory import device_of


def usage(directory: str, *, most_files: int) -> tuple[int, int]:
    """Returns (files and folders, bytes on disk) below a directory; stops counting after `most_files`.

    Skips entries that disappear meanwhile and does not follow links, because untrusted code is at work there.
    """
    count = size = 0
    queue = [directory]
    while queue:
        try:
            entries = os.scandir(queue.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                count += 1
                if count > most_files:
                    return count, size
                try:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
                except OSError:
                    continue
    return count, size


def unlinked_bytes(pids: Iterable[int], directory: str, mapped: Mapping[int, int]) -> int:
    """Returns the bytes that processes keep in unnamed files on the disk of a directory.

    Args:
        mapped: bytes by inode of those that are mapped; one that is also open counts with its own size.
    """
    device = device_of(directory)
    found = dict(mapped)
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            try:
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116
            except OSError:
                continue
            if status.st_nlink == 0 and status.st_dev == device:
                found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())
