"""What the object stores have in common: bodies that stream, and faults that are OSErrors like a disk's."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from django.core.files import File

_Class = TypeVar("_Class", bound=type)
_METHODS: Final = ("_open", "_save", "delete", "exists", "listdir", "size", "get_modified_time")
# How much is asked for at once.
CHUNK_BYTES: Final = 1024**2


class StoreAwayError(OSError):
    """The store does not answer, or does not take this credential; its own words are the cause."""


class StoreFullError(OSError):
    """The store of results has no room left."""


class StoredFile(File):  # type: ignore[type-arg]
    """A file that was opened in a store.

    Attributes:
        size: in bytes, as the store says.
        version: changes with the content, by the store's word (an ETag) or by the file's times; "" where unknown.
    """

    def __init__(self, file: Any, name: str, *, size_bytes: int, version: str = "") -> None:
        super().__init__(file, name=name)
        # Else it would be asked for again.
        self.size = size_bytes
        self.version = version


class _Body(io.RawIOBase):
    """Bytes that arrive in pieces, read once from the front."""

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
    """Returns a file that reads its pieces as they are asked for: django-storages would fetch all of it first."""
    body = io.BufferedReader(_Body(pieces, close, faults), CHUNK_BYTES)
    return StoredFile(body, name, size_bytes=size_bytes, version=version)


def faults_are_oserrors(*faults: type[Exception]) -> Callable[[_Class], _Class]:
    """Makes a storage raise StoreAwayError where it would raise its library's own errors.

    What the class itself raises as an OSError, such as FileNotFoundError, passes.
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
