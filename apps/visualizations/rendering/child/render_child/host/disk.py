"""How much of the disk a render has taken."""

from __future__ import annotations

import os


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
