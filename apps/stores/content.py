"""Content on its way into a store: read from an open file, its digest computed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from django.core.files import File
from django.core.files.storage import Storage

from apps.stores.streamed import StoreAwayError

_CHUNK: Final = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file in storage, by the name it is found under."""

    name: str
    size_bytes: int
    sha256: str


class Content(File):  # type: ignore[type-arg]
    """An open file for `Storage.save`. It has no path, so no store can take it by one.

    Attributes:
        is_durable: the store is to have it on the disk before it answers.
    """

    def __init__(self, file: BinaryIO, *, is_durable: bool = True) -> None:
        super().__init__(file, name="content")
        self._source = file
        self.is_durable = is_durable
        self._found: tuple[int, str] | None = None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yields the content from its beginning, and keeps size and digest of what it has yielded."""
        self._source.seek(0)
        digest, size_bytes = hashlib.sha256(), 0
        while chunk := self._source.read(chunk_size or _CHUNK):
            digest.update(chunk)
            size_bytes += len(chunk)
            yield chunk
        self._found = size_bytes, digest.hexdigest()

    def measured(self) -> tuple[int, str]:
        """Returns size and SHA-256, of what the store has read where it read by `chunks`."""
        if self._found is None:
            # Object stores read parts in an order of their own.
            for _ in self.chunks():
                pass
        assert self._found is not None  # noqa: S101  (the loop above has ended)
        return self._found


def content_save(storage: Storage, name: str, file: BinaryIO, *, is_durable: bool = True) -> SavedFile:
    """Copies an open file into a store; its position does not matter.

    Raises:
        StoreFullError: there is no room for it.
        StoreAwayError: the store does not answer, or has kept another size than it was given.
        OSError: what a disk says.
    """
    content = Content(file, is_durable=is_durable)
    saved = storage.save(name, content)
    size_bytes, sha256 = content.measured()
    kept_bytes = storage.size(saved)
    if kept_bytes != size_bytes:
        storage.delete(saved)
        raise StoreAwayError(f"The store of results kept {kept_bytes} of {size_bytes} bytes.")
    return SavedFile(name=saved, size_bytes=size_bytes, sha256=sha256)
