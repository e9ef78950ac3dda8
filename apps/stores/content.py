"""Content for a store: read from an open file, with its digest computed on the way."""

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
    """A file in storage, with the name to open it by."""

    name: str
    size_bytes: int
    sha256: str


class Content(File):  # type: ignore[type-arg]
    """An open file for `Storage.save`. It has no path, so that no store can read it by path.

    Attributes:
        is_durable: whether the store must write it to disk before it returns.
    """

    def __init__(self, file: BinaryIO, *, is_durable: bool = True) -> None:
        super().__init__(file, name="content")
        self._source = file
        self.is_durable = is_durable
        self._found: tuple[int, str] | None = None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yields the content from its beginning, and records the size and digest of what it yielded."""
        self._source.seek(0)
        digest, size_bytes = hashlib.sha256(), 0
        while chunk := self._source.read(chunk_size or _CHUNK):
            digest.update(chunk)
            size_bytes += len(chunk)
            yield chunk
        self._found = size_bytes, digest.hexdigest()

    def measured(self) -> tuple[int, str]:
        """Returns size and SHA-256, as read by the store if it used `chunks`; otherwise reads the file again."""
        if self._found is None:
            # Object stores read parts in their own order.
            for _ in self.chunks():
                pass
        assert self._found is not None  # noqa: S101  (the loop above has ended)
        return self._found


def content_save(storage: Storage, name: str, file: BinaryIO, *, is_durable: bool = True) -> SavedFile:
    """Copies an open file into a store; the file's position does not matter.

    Raises:
        StoreFullError: the store has no room left.
        StoreAwayError: the store does not answer, or stored a different size.
        OSError: any other error of the disk.
    """
    content = Content(file, is_durable=is_durable)
    saved = storage.save(name, content)
    size_bytes, sha256 = content.measured()
    kept_bytes = storage.size(saved)
    if kept_bytes != size_bytes:
        storage.delete(saved)
        raise StoreAwayError(f"The store of results kept {kept_bytes} of {size_bytes} bytes.")
    return SavedFile(name=saved, size_bytes=size_bytes, sha256=sha256)
