"""Opens the files of a render with limits, because hostile code may have written them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final

# Tab and line feed are kept. ESC is removed because it confuses terminals, NUL because PostgreSQL's text has none.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")


class BadResultError(Exception):
    """A file is not one that a render may leave; the text says why."""


def open_result(directory: Path, name: str, limit: int) -> BinaryIO:
    """Opens a file of a render. All checks apply to the descriptor that is returned.

    Args:
        name: of a file directly in `directory`.
        limit: the maximum size in bytes.

    Raises:
        FileNotFoundError: there is no such file.
        BadResultError: it is too large, a link, a pipe, a device, or has a second name.
    """
    descriptor = _open_beneath(directory, name)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadResultError(f"{name} is not a regular file")
        # A file with a second name may belong to somebody else and have been linked into the directory.
        if status.st_nlink != 1:
            raise BadResultError(f"{name} has {status.st_nlink} names instead of one")
        if status.st_size > limit:
            raise BadResultError(f"{name} has {status.st_size} bytes, more than {limit}")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_beneath(directory: Path, name: str) -> int:
    if "/" in name:
        raise ValueError(f"{name!r} is not the name of a file in a folder")
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadResultError(f"{name} cannot be read: {error.strerror}") from error
    finally:
        os.close(folder)


def read_capped(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is no such file.
        BadResultError: it is a link, a pipe, a device, too large, or has a second name.
    """
    with open_result(path.parent, path.name, limit) as file:
        return file.read(limit)


def read_log(path: Path, limit: int) -> str:
    """Returns the last `limit` bytes of a log as text; "" if it is missing or not a regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return ""
        text = os.pread(descriptor, limit, max(0, status.st_size - limit)).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return CONTROL.sub("", text)
