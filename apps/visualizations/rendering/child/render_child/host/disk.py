"""How much of the disk a render has taken, files without a name included."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

_DELETED: Final = b" (deleted)"


def usage(directory: str, *, most_files: int) -> tuple[int, int]:
    """Returns (files and folders, bytes on disk) below a directory; counting ends beyond `most_files`.

    What disappears meanwhile is passed over, and links are not followed: foreign code is at work there.
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


def unlinked_bytes(pids: Iterable[int], directory: str) -> int:
    """Returns the bytes on a directory's disk that processes keep in files without a name, open or mapped.

    Files on another disk are not counted, and one that several processes have open is counted once.
    """
    try:
        device = os.stat(directory).st_dev  # noqa: PTH116  (often)
    except OSError:
        return 0
    found: dict[int, int] = {}
    for pid in pids:
        _add_open(pid, device, found)
        _add_mapped(pid, device, found)
    return sum(found.values())


def _add_open(pid: int, device: int, found: dict[int, int]) -> None:
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return
    for name in names:
        try:
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116
        except OSError:
            continue
        if status.st_nlink == 0 and status.st_dev == device:
            found[status.st_ino] = status.st_blocks * 512


def _add_mapped(pid: int, device: int, found: dict[int, int]) -> None:
    """Adds files that are mapped and no longer open; their size is unknown, so what is mapped counts."""
    sizes: dict[int, int] = {}
    try:
        with open(f"/proc/{pid}/maps", "rb") as file:  # noqa: PTH123
            for line in file:
                if not line.rstrip().endswith(_DELETED):
                    continue
                addresses, _, _, numbers, inode = line.split(None, 5)[:5]
                start, end = (int(part, 16) for part in addresses.split(b"-"))
                major, minor = (int(part, 16) for part in numbers.split(b":"))
                if os.makedev(major, minor) == device:
                    sizes[int(inode)] = sizes.get(int(inode), 0) + end - start
    except (OSError, ValueError):
        pass
    for number, size in sizes.items():
        found.setdefault(number, size)
