"""Files of this machine, below an allowed folder: opened step by step, no link followed, regular files only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import Address, pattern_fits
from apps.visualizations.sources.download import Download, FetchedSource, safe_path
from apps.visualizations.states import Reason

_CHUNK = 1024**2
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO must not wait for somebody to write into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MAX_ENTRIES = 10_000
_MAX_DEPTH = 8


def _missing(address: Address) -> SourceError:
    return SourceError(f"There is no file at {address.uri}.", code=Reason.SOURCE_MISSING)


@contextmanager
def _directory(parts: tuple[str, ...], address: Address) -> Iterator[int]:
    """Opens `/part/part/...` one name at a time, each relative to the directory before it."""
    descriptor = os.open("/", _DIRECTORY)
    try:
        for part in parts:
            try:
                below = os.open(part, _DIRECTORY, dir_fd=descriptor)
            except OSError as error:
                raise _missing(address) from error
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _read(descriptor: int, name: str) -> Iterator[bytes]:
    before = os.fstat(descriptor)
    rest = before.st_size
    while rest > 0 and (chunk := os.read(descriptor, min(_CHUNK, rest))):
        rest -= len(chunk)
        yield chunk
    after = os.fstat(descriptor)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise SourceError(f"The file {name} changed while it was read. Try again.", code=Reason.SOURCE_CHANGED)


def _copy(directory: int, relative: tuple[str, ...], intake: Download, address: Address) -> str:
    """Copies the file `relative[-1]` of a directory; the other parts only name the folders it came from."""
    try:
        descriptor = os.open(relative[-1], _FILE, dir_fd=directory)
    except OSError as error:
        raise _missing(address) from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise SourceError(f"{relative[-1]} is not a regular file.", code=Reason.SOURCE_REFUSED)
        intake.check_size(facts.st_size)
        return str(intake.save(safe_path(relative), _read(descriptor, relative[-1])))
    finally:
        os.close(descriptor)


class _Walk:
    """Everything below a directory that fits, copied on the way; entries are counted over all of it."""

    def __init__(self, pattern: tuple[str, ...], intake: Download, address: Address) -> None:
        self._pattern, self._intake, self._address = pattern, intake, address
        self._entries = self.found = 0

    def into(self, directory: int, above: tuple[str, ...] = ()) -> None:
        """Goes through one directory, names sorted, and into those in it. A link is passed by, wherever it leads."""
        with os.scandir(directory) as scanned:
            entries = sorted(self._counted(scanned), key=lambda entry: entry.name)
        for entry in entries:
            parts = (*above, entry.name)
            if entry.is_dir(follow_symlinks=False) and self._goes_on(parts):
                self._below(directory, parts)
            elif entry.is_file(follow_symlinks=False) and (not self._pattern or pattern_fits(self._pattern, parts)):
                _copy(directory, parts, self._intake, self._address)
                self.found += 1

    def _counted(self, scanned: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in scanned:
            self._intake.check_time()
            self._entries += 1
            if self._entries > MAX_ENTRIES:
                raise SourceError(f"The folder has more than {MAX_ENTRIES:,} entries.", code=Reason.SOURCE_TOO_BIG)
            yield entry

    def _goes_on(self, parts: tuple[str, ...]) -> bool:
        if not self._pattern:
            return len(parts) < _MAX_DEPTH
        return len(parts) < len(self._pattern) and pattern_fits(self._pattern[: len(parts)], parts)

    def _below(self, directory: int, parts: tuple[str, ...]) -> None:
        try:
            descriptor = os.open(parts[-1], _DIRECTORY, dir_fd=directory)
        except OSError:
            return  # gone, or a link by now
        try:
            self.into(descriptor, parts)
        finally:
            os.close(descriptor)


def local_fetch(address: Address, intake: Download) -> FetchedSource:
    """Copies the file, the folder, or the files a pattern matches.

    Raises:
        SourceError: not there, not a regular file, a link on the way, or beyond a limit.
    """
    if not address.parts:
        raise _missing(address)
    if address.pattern:
        with _directory(address.base, address) as directory:
            return _folder(directory, address, intake)
    with _directory(address.parts[:-1], address) as parent:
        if not _is_directory(parent, address):
            return intake.done(_copy(parent, address.parts[-1:], intake, address))
    with _directory(address.parts, address) as directory:
        return _folder(directory, address, intake)


def _is_directory(parent: int, address: Address) -> bool:
    try:
        facts = os.stat(address.parts[-1], dir_fd=parent, follow_symlinks=False)
    except OSError as error:
        raise _missing(address) from error
    return stat.S_ISDIR(facts.st_mode)


def _folder(directory: int, address: Address, intake: Download) -> FetchedSource:
    walk = _Walk(address.pattern, intake, address)
    walk.into(directory)
    if not walk.found:
        raise _missing(address)
    return intake.done_matches(len(address.pattern)) if address.pattern else intake.done(str(intake.directory))
