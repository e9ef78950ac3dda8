"""Streaming a file, holding one piece of it at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.core.files import File

_CHUNK: int = 256 * 1024


def file_chunks(file: File[bytes]) -> Generator[bytes]:
    """Yields an open file's content and closes it."""
    with file:
        yield from file.chunks(_CHUNK)
