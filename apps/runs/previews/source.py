"""The bytes of an artifact, read once from the start, and never more than requested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

UNLIMITED: Final = 1 << 62
"""The limit for code that passes everything on."""


class Source:
    """Bytes that arrive in pieces; peeked bytes stay available to the next reader."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._kept = bytearray()
        self._is_done = False

    def peek(self, count: int) -> bytes:
        """Returns at most the first `count` bytes; a later call for more continues reading."""
        while len(self._kept) < count and not self._is_done:
            chunk = next(self._chunks, None)
            self._is_done = chunk is None
            self._kept += chunk or b""
        return bytes(self._kept[:count])

    def chunks(self, limit: int) -> Iterator[bytes]:
        """Yields at most the first `limit` bytes; no other method may be called afterwards."""
        left = limit
        while left > 0:
            chunk = bytes(self._kept) or next(self._chunks, b"")
            self._kept.clear()
            if not chunk:
                self._is_done = True
                return
            yield chunk[:left]
            left -= len(chunk)

    def copy_to(self, file: BinaryIO, limit: int) -> int:
        """Writes at most the first `limit` bytes to a file; returns how many."""
        return sum(file.write(chunk) for chunk in self.chunks(limit))
