"""Verified reading of stored files: size and digest are compared with those recorded at saving.

The size is checked before anything is sent. Small files are read and verified before they are sent. The digest of a
large file is computed while it is sent, and its last chunk is held back until the digest matches: on a mismatch the
reader gets an error instead, which aborts the transfer. A version that this process has once verified is not verified
again (docs/decisions/0009-verified-results.md).
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.files import File
from django.core.files.storage import default_storage

# Files up to this size are verified before their first byte is sent.
WHOLE_BYTES: Final = 4 * 1024**2
_CHUNK: Final = 256 * 1024
_MOST_KNOWN: Final = 4096
logger = logging.getLogger(__name__)


class DamagedError(OSError):
    """The stored file differs from what was saved: shorter, longer or altered."""


@dataclass(slots=True)
class Known:
    """File versions that this process has verified."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _keys: OrderedDict[tuple[str, str, str], None] = field(default_factory=OrderedDict)

    def has(self, key: tuple[str, str, str]) -> bool:
        """Whether this version of a file has been verified."""
        with self._lock:
            return key in self._keys

    def add(self, key: tuple[str, str, str]) -> None:
        """Remembers a verified file; ignored if the store has no versions."""
        if not key[1]:
            return
        with self._lock:
            self._keys[key] = None
            while len(self._keys) > _MOST_KNOWN:
                self._keys.popitem(last=False)


known = Known()


def stored_key(file: File[Any], sha256: str) -> tuple[str, str, str]:
    """Returns the identity of an open stored file: name, version and expected digest."""
    return str(file.name), str(getattr(file, "version", "")), sha256


class StoredContent:
    """A stored file that is verified while it is read. Iterate over it once, or close it.

    Attributes:
        size_bytes: size of the whole file.
    """

    def __init__(self, file: File[Any], sha256: str, on_damage: Callable[[], None]) -> None:
        self._file = file
        self._sha256 = sha256
        self._on_damage = on_damage
        self._key = stored_key(file, sha256)
        self.size_bytes: int = file.size
        self._is_known = not sha256 or known.has(self._key)
        self._whole: bytes | None = None
        if not self._is_known and self.size_bytes <= WHOLE_BYTES:
            self._whole = b"".join(self._measured())

    def __iter__(self) -> Iterator[bytes]:
        return iter([self._whole]) if self._whole is not None else self._pieces()

    def close(self) -> None:
        """Closes the file. Safe to call again."""
        self._file.close()

    def _pieces(self) -> Iterator[bytes]:
        with self._file:
            yield from self._counted() if self._is_known else self._measured()

    def _counted(self) -> Iterator[bytes]:
        count = 0
        for piece in self._file.chunks(_CHUNK):
            count += len(piece)
            yield piece
        if count != self.size_bytes:
            raise self._damaged(f"ended after {count} of {self.size_bytes} bytes")

    def _measured(self) -> Iterator[bytes]:
        digest, held = hashlib.sha256(), b""
        for piece in self._counted():
            digest.update(piece)
            if held:
                yield held
            held = piece
        if digest.hexdigest() != self._sha256:
            raise self._damaged("has another digest than when it was saved")
        known.add(self._key)
        yield held

    def _damaged(self, words: str) -> DamagedError:
        logger.error("%s: %s", self._file.name, words)
        self._on_damage()
        return DamagedError(f"{self._file.name} {words}.")


def stored_open(
    name: str, *, size_bytes: int | None, sha256: str, on_damage: Callable[[], None] = lambda: None
) -> StoredContent:
    """Opens a stored file for verified reading.

    Args:
        size_bytes: the size when it was saved; None if unknown.
        sha256: the digest when it was saved; "" if unknown.
        on_damage: called on a mismatch, also in the middle of reading.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedError: its size differs, or a small file's digest. Reading a large file may raise it too.
        StoreAwayError: the store does not answer.
    """
    file = default_storage.open(name, "rb")
    try:
        if size_bytes is not None and file.size != size_bytes:
            logger.error("%s: has %s bytes, %s were saved", name, file.size, size_bytes)
            on_damage()
            raise DamagedError(f"{name} has {file.size} bytes, {size_bytes} were saved.")
        return StoredContent(file, sha256, on_damage)
    except BaseException:
        file.close()
        raise
