"""Collapses a host's memory into huge pages: a fork then copies one page table entry per 2 MB instead of 512.

Measured on two cores with 220 MB of imported libraries: a fork takes 5 ms instead of 13, and a fork with a small render
29 ms instead of 45 (docs/performance.md).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

# <asm-generic/mman-common.h>, Linux 6.1: collapse now, whatever the system's policy for huge pages.
_MADV_COLLAPSE: Final = 25
_SIZE: Final = 2 * 1024**2


def collapse_memory() -> int:
    """Collapses this process's own writable memory; returns the number of huge pages made.

    Best effort: nothing changes if the kernel is older or memory is too fragmented.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(not libc.madvise(start, _SIZE, _MADV_COLLAPSE) for start in _starts())


def _starts() -> Iterator[int]:
    """Yields the addresses of aligned 2 MB ranges of anonymous writable memory."""
    ranges = []
    with suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        for line in file:
            place, rights, _, _, _, *name = line.split(None, 5)
            if rights.startswith("rw") and (not name or name[0].startswith("[heap]")):
                first, _, last = place.partition("-")
                ranges.append((int(first, 16), int(last, 16)))
    for start, end in ranges:
        yield from range(-(-start // _SIZE) * _SIZE, end - _SIZE + 1, _SIZE)
