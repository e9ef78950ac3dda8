"""Semaphores for `multiprocessing` without named shared memory.

CPython creates a named semaphore, a file below /dev/shm that every program could open, and removes the name at once.
The sandbox has no such folder. An unnamed semaphore in memory that is shared across a fork serves the same purpose:
thread pools (used by scikit-learn and joblib), `multiprocessing.Pool` and `ProcessPoolExecutor` work.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import mmap
from typing import Any, Final

# typeshed does not contain this module.
_multiprocessing: Any = importlib.import_module("_multiprocessing")

# A `sem_t` has 32 bytes on systems with a 64-bit `long`.
_BYTES: Final = 64
_libc: Final = ctypes.CDLL(None, use_errno=True)
# Never freed: the processes use the memory until they end.
_kept: list[Any] = []


class SharedSemaphore(_multiprocessing.SemLock):  # type: ignore[misc]
    """Replaces CPython's `SemLock`."""

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str = "", unlink: bool = False) -> Any:  # noqa: ARG004, FBT001, FBT002
        """Returns a semaphore for this process and those that it forks.

        Raises:
            PermissionError: it is meant for newly started programs, which would have to find it by name.
            OSError: the system provides no semaphore.
        """
        if not unlink:
            raise PermissionError(errno.EACCES, "No semaphores by name in a render")
        memory = ctypes.c_char.from_buffer(mmap.mmap(-1, _BYTES))
        address = ctypes.addressof(memory)
        if _libc.sem_init(ctypes.c_void_p(address), 1, value):
            raise OSError(ctypes.get_errno(), "sem_init")
        _kept.append(memory)
        return cls._rebuild(address, kind, maxvalue, None)


def install() -> None:
    """Makes `multiprocessing` use these semaphores in this process."""
    _multiprocessing.SemLock = SharedSemaphore
