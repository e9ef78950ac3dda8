"""Opening the files that a render left, with limits: they were written beside hostile code."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final

# Kept: tab and line feed. ESC stays out, it only confuses terminals; PostgreSQL's text has no NUL.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")


class BadResultError(Exception):
    """A file is not what a render may leave; the text says why."""


def open_result(directory: Path, name: str, limit: int) -> BinaryIO:
    """Opens what a render left; everything that is checked is checked on the descriptor that is returned.

    Args:
        name: of a file right in `directory`.
        limit: the most bytes that it may have.

    Raises:
        FileNotFoundError: there is none.
        BadResultError: larger, a link, a pipe, a device, or a file with a second name.
    """
    descriptor = _open_beneath(directory, name)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadResultError(f"{name} is not a regular file")
        # A second name may be a file of somebody else's, linked into the directory.
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
        FileNotFoundError: there is none.
        BadResultError: a link, a pipe, a device, a file with a second name, or larger.
    """
    with open_result(path.parent, path.name, limit) as file:
        return file.read(limit)


def read_log(path: Path, limit: int) -> str:
    """Returns the last `limit` bytes of a log as text; "" where there is none, or where it is not a regular file."""
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
