"""Shared by the object stores: streamed bodies, and errors that are OSErrors like those of a disk."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from django.core.files import File

_Class = TypeVar("_Class", bound=type)
_METHODS: Final = ("_open", "_save", "delete", "exists", "listdir", "size", "get_modified_time")
# Number of bytes per request.
CHUNK_BYTES: Final = 1024**2


class StoreAwayError(OSError):
    """The store does not answer, or rejects the credential; the library's error is the cause."""


class StoreFullError(OSError):
    """The store of results has no room left."""


class StoredFile(File):  # type: ignore[type-arg]
    """A file opened in a store.

    Attributes:
        size: in bytes, as reported by the store.
        version: changes with the content: an ETag, or derived from the file's times; "" if unknown.
    """

    def __init__(self, file: Any, name: str, *, size_bytes: int, version: str = "") -> None:
        super().__init__(file, name=name)
        # Otherwise the base class would query it again.
        self.size = size_bytes
        self.version = version


class _Body(io.RawIOBase):
    """Bytes that arrive in chunks, read once from the beginning."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None], faults: tuple[type[Exception], ...]) -> None:
        self._pieces = pieces
        self._close = close
        self._faults = faults
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                piece = next(self._pieces, None)
            except self._faults as error:
                raise StoreAwayError("The store of results stopped answering.") from error
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


def streamed_file(
    name: str,
    size_bytes: int,
    pieces: Iterator[bytes],
    *,
    version: str = "",
    close: Callable[[], None] = lambda: None,
    faults: tuple[type[Exception], ...],
) -> StoredFile:
    """Returns a file that reads its chunks on demand; django-storages would fetch all of it first."""
    body = io.BufferedReader(_Body(pieces, close, faults), CHUNK_BYTES)
    return StoredFile(body, name, size_bytes=size_bytes, version=version)


def faults_are_oserrors(*faults: type[Exception]) -> Callable[[_Class], _Class]:
    """Class decorator: makes a storage raise StoreAwayError instead of its library's own errors.

    OSErrors that the class itself raises, such as FileNotFoundError, pass unchanged.
    """

    def translate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except OSError:
                raise
            except faults as error:
                raise StoreAwayError(f"The store of results does not answer ({type(error).__name__}).") from error

        return called

    def decorate(kind: _Class) -> _Class:
        for name in _METHODS:
            setattr(kind, name, translate(getattr(kind, name)))
        return kind

    return decorate
