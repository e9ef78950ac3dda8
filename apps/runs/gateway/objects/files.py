"""Files of this machine below one directory: opened component by component, regular files only, no links followed.

fsspec's own local file system follows links.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from apps.runs.gateway.objects.address import ObjectAddress
from apps.runs.gateway.objects.shapes import Entry, Facts, NotRegularFileError, TooManyEntriesError
from apps.runs.gateway.objects.stores import StoreConfig

MOST_NAMES: Final = 10_000
_CHUNK: Final = 256 * 1024
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for its writer.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileStore:
    """The files below one root, opened by descriptor: each step opens one name and never follows a link."""

    def __init__(self, store: StoreConfig) -> None:
        self._root = store.root
        self._above = len(store.prefix.parts)

    def _parts(self, address: ObjectAddress) -> tuple[str, ...]:
        return address.parts[self._above :]

    @contextmanager
    def _directory(self, parts: tuple[str, ...]) -> Iterator[int]:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                below = os.open(part, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def facts(self, address: ObjectAddress) -> Facts | None:
        """Returns a file's size and version; None for a directory.

        Raises:
            OSError: the path does not exist, is a link, or may not be read.
            NotRegularFileError: it is neither a file nor a directory.
        """
        parts = self._parts(address)
        with self._directory(parts[:-1]) as parent:
            status = os.stat(parts[-1], dir_fd=parent, follow_symlinks=False) if parts else os.fstat(parent)
        if stat.S_ISDIR(status.st_mode):
            return None
        if stat.S_ISLNK(status.st_mode):
            raise FileNotFoundError(parts[-1])
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularFileError(f"{address} is not a regular file.")
        return Facts(size_bytes=status.st_size, version=_version(status))

    def read(self, address: ObjectAddress, start: int, length: int | None) -> Iterator[bytes]:
        """Yields a file's bytes, limited to its size when opened, because another program may still write to it."""
        parts = self._parts(address)
        with self._directory(parts[:-1]) as parent:
            descriptor = os.open(parts[-1], _FILE, dir_fd=parent)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotRegularFileError(f"{address} is not a regular file.")
            file.seek(start)
            left = status.st_size - start if length is None else min(length, status.st_size - start)
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                yield chunk
                left -= len(chunk)

    def walk(self, address: ObjectAddress, enters: Callable[[tuple[str, ...]], bool], /) -> Iterator[Entry]:
        """Yields the regular files below a directory, sorted in each; descends into directories that `enters` accepts.

        Raises:
            OSError: it is not a directory, or may not be read.
            TooManyEntriesError: it contains too many names of any kind.
        """
        base = self._parts(address)
        waiting: list[tuple[str, ...]] = [()]
        left = MOST_NAMES
        while waiting:
            above = waiting.pop()
            folders = []
            for name, status in self._names(base, above, left + 1):
                left -= 1
                if left < 0:
                    raise TooManyEntriesError(f"The folder has more than {MOST_NAMES:,} entries.")
                parts = (*above, name)
                if stat.S_ISREG(status.st_mode):
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    version = _version(status)
                    yield Entry(path="/".join(parts), size_bytes=status.st_size, modified_at=modified, version=version)
                elif stat.S_ISDIR(status.st_mode) and enters(parts):
                    folders.append(parts)
            waiting.extend(reversed(folders))

    def _names(self, base: tuple[str, ...], above: tuple[str, ...], most: int) -> list[tuple[str, os.stat_result]]:
        """Returns at most `most` names of a directory, sorted."""
        found = []
        try:
            with self._directory((*base, *above)) as directory, os.scandir(directory) as scanned:
                for entry in itertools.islice(scanned, most):
                    with suppress(FileNotFoundError):
                        found.append((entry.name, entry.stat(follow_symlinks=False)))
        except OSError:
            if not above:
                raise
            # Skips a subdirectory that meanwhile is gone, unreadable, or a link.
        return sorted(found, key=lambda item: item[0])


def _version(status: os.stat_result) -> str:
    return f"{status.st_ino} {status.st_mtime_ns} {status.st_size}"
