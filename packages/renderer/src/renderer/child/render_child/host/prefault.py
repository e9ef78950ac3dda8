"""Copies the memory that renders will write to before they need it.

After a fork each page is copied when the child first writes to it, one fault at a time, and a short render spends most
of its time on that. The pages are nearly the same each time. So one child is observed while it does what most renders
do, and later children copy the same pages with about a hundred system calls while they are idle.
"""

from __future__ import annotations

import array
import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final

# Linux 5.14: make the pages present and writable, as if they had been written to.
_MADV_POPULATE_WRITE: Final = 23
_PAGE: Final = os.sysconf("SC_PAGESIZE")
# Copying one or two unneeded pages costs less than another system call.
_GAP: Final = 2 * _PAGE
# <Documentation/admin-guide/mm/pagemap.rst>: present; file-backed or shared; mapped by this process alone.
_PRESENT, _SHARED, _EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56

Ranges = list[tuple[int, int]]


def learn(work: Callable[[], None]) -> Ranges:
    """Forks a child that runs `work`; returns the memory ranges it wrote to, in order; [] if the system cannot tell."""
    if sys.platform != "linux":
        return []
    readable, writable = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(readable)
            work()
            edges = array.array("Q", (edge for each in _merged(_written_pages()) for edge in each))
            with os.fdopen(writable, "wb") as file:
                file.write(edges.tobytes())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as file:
        content = file.read()
    os.waitpid(pid, 0)
    edges = array.array("Q", content[: len(content) // 16 * 16])
    return list(zip(edges[::2], edges[1::2], strict=True))


def copy_ahead(ranges: Ranges) -> None:
    """Copies the ranges now; skips those that no longer exist."""
    if not ranges:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in ranges:
        madvise(start, end - start, _MADV_POPULATE_WRITE)


def _written_pages() -> Iterator[int]:
    """Yields the addresses of the pages that only this process has."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        mappings = [line.split(None, 2)[:2] for line in file]
    descriptor = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    for place, rights in mappings:
        if not rights.startswith("rw"):
            continue
        start, _, end = place.partition("-")
        first, last = int(start, 16), int(end, 16)
        entries = array.array("Q", os.pread(descriptor, (last - first) // _PAGE * 8, first // _PAGE * 8))
        for number, entry in enumerate(entries):
            if entry & _PRESENT and entry & _EXCLUSIVE and not entry & _SHARED:
                yield first + number * _PAGE
    os.close(descriptor)


def _merged(pages: Iterable[int]) -> Ranges:
    found: Ranges = []
    for page in pages:
        if found and page - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], page + _PAGE)
        else:
            found.append((page, page + _PAGE))
    return found
