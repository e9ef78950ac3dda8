"""Artifacts on this machine's disk, below one allowed directory; no link leads out of it, and no device is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from apps.runs import exceptions
from apps.runs.gateway.objects.address import Address
from apps.runs.gateway.objects.shapes import Entry, Facts
from apps.runs.gateway.objects.stores import StoreConfig

_CHUNK: Final = 256 * 1024
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for its writer.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileStore:
    """The files below one root, by file descriptors: each step is one name, and never a link."""

    def __init__(self, store: StoreConfig) -> None:
        self._root = store.root
        self._prefix = store.prefix.key.strip("/")

    def _parts(self, address: Address) -> list[str]:
        return [part for part in address.key.removeprefix(self._prefix).split("/") if part]

    @contextmanager
    def _parent(self, parts: list[str]) -> Iterator[int]:
        opened = [os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        try:
            for part in parts:
                opened.append(os.open(part, _DIRECTORY, dir_fd=opened[-1]))
            yield opened[-1]
        finally:
            for descriptor in reversed(opened):
                os.close(descriptor)

    def facts(self, address: Address) -> Facts | None:
        """Returns a file's size and version; None for a directory.

        Raises:
            OSError: not there, a link, or not to be read.
            NotFoundError: neither file nor directory.
        """
        parts = self._parts(address)
        with self._parent(parts[:-1]) as parent:
            found = os.stat(parts[-1], dir_fd=parent, follow_symlinks=False) if parts else os.fstat(parent)
        if stat.S_ISDIR(found.st_mode):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise exceptions.NotFoundError(f"{address} is no regular file.")
        return Facts(size_bytes=found.st_size, version=_version(found))

    def read(self, address: Address, start: int, length: int | None) -> Iterator[bytes]:
        """Yields a file's bytes."""
        parts = self._parts(address)
        with self._parent(parts[:-1]) as parent:
            descriptor = os.open(parts[-1], _FILE, dir_fd=parent)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise exceptions.NotFoundError(f"{address} is no regular file.")
            file.seek(start)
            left = length
            while chunk := file.read(_CHUNK if left is None else min(_CHUNK, left)):
                yield chunk
                left = None if left is None else left - len(chunk)

    def walk(self, address: Address) -> Iterator[Entry]:
        """Yields the regular files below a directory."""
        directory = Path(self._root, *self._parts(address))
        for path, _, names in os.walk(directory, followlinks=False):
            for name in sorted(names):
                found = os.lstat(os.path.join(path, name))  # noqa: PTH118  (os.walk speaks text)
                if stat.S_ISREG(found.st_mode):
                    below = Path(path, name).relative_to(directory).as_posix()
                    modified = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield Entry(path=below, size_bytes=found.st_size, modified_at=modified, version=_version(found))


def _version(found: os.stat_result) -> str:
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"
