"""Files of this machine, below an allowed folder: opened step by step, no link followed, regular files only."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import Address
from apps.visualizations.sources.intake import FetchedSource, Intake, safe_name

_CHUNK = 1024**2
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO must not wait for somebody to write into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX_ENTRIES = 10_000


def _missing(address: Address) -> SourceError:
    return SourceError(f"There is no file at {address.uri}.", code="source_missing")


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
        raise SourceError(f"The file {name} changed while it was read. Try again.", code="source_changed")


def _copy(directory: int, name: str, intake: Intake, address: Address) -> str:
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        raise _missing(address) from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise SourceError(f"{name} is not a regular file.", code="source_refused")
        intake.check_size(facts.st_size)
        return str(intake.save(safe_name(name), _read(descriptor, name)))
    finally:
        os.close(descriptor)


def _matches(directory: int, pattern: str, intake: Intake) -> list[str]:
    names: list[str] = []
    with os.scandir(directory) as entries:
        for count, entry in enumerate(entries):
            intake.check_time()
            if count >= _MAX_ENTRIES:
                raise SourceError(f"The folder has more than {_MAX_ENTRIES} entries.", code="source_too_big")
            if fnmatch.fnmatchcase(entry.name, pattern) and entry.is_file(follow_symlinks=False):
                names.append(entry.name)
            if len(names) > intake.max_files:
                raise SourceError(f"The pattern matches more than {intake.max_files} files.", code="source_too_big")
    return sorted(names)


def local_fetch(address: Address, intake: Intake) -> FetchedSource:
    """Copies the file, or the files a pattern in the last segment matches.

    Raises:
        SourceError: not there, not a regular file, a link on the way, or beyond a limit.
    """
    if not address.parts:
        raise _missing(address)
    *folders, last = address.parts
    if any(set("*?[") & set(folder) for folder in folders):
        raise SourceError("A pattern may stand in the last part of a path only.", code="source_refused")
    with _directory(tuple(folders), address) as directory:
        names = [last] if not address.is_glob else _matches(directory, last, intake)
        if not names:
            raise _missing(address)
        paths = [_copy(directory, name, intake, address) for name in names]
    is_one = len(paths) == 1
    return intake.done(paths[0] if is_one else str(intake.directory / "*"))
