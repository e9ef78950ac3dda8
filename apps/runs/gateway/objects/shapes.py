"""Facts about an artifact's bytes, independent of their transport."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.runs.exceptions import EndpointError, NotFoundError

# Maximum number of files listed of a folder.
MOST_LISTED: Final = 1000


class NotRegularFileError(NotFoundError):
    """The path is a device, a pipe or a socket instead of a file."""


class TooManyEntriesError(EndpointError):
    """A folder holds more entries than the portal examines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactStream:
    """An artifact's bytes, readable once, inside the `with` block that opened it.

    Attributes:
        chunks: the bytes; may raise EndpointDownError when the connection breaks off.
        size_bytes: of the whole object; None if unknown.
        content_type: as announced; "" if not announced (the usual case).
        is_directory: the URI names a folder; the bytes are then a .tar.gz of it.
        accepts_ranges: whether a part of it can be requested.
        start: the offset of the first byte in `chunks`.
    """

    chunks: Iterator[bytes]
    size_bytes: int | None
    content_type: str
    is_directory: bool
    accepts_ranges: bool = False
    start: int = 0

    def read(self, limit_bytes: int) -> bytes:
        """Returns at most the first `limit_bytes` bytes."""
        found = bytearray()
        for chunk in self.chunks:
            found += chunk
            if len(found) >= limit_bytes:
                break
        return bytes(found[:limit_bytes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A store's facts about one object.

    Attributes:
        size_bytes: None if the store does not say.
        version: changes with the content (an ETag, a generation, or time and size); "" if the store does not say.
    """

    size_bytes: int | None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a folder; `path` is relative to the folder, with forward slashes; `version` as in `Facts`."""

    path: str
    size_bytes: int | None = None
    modified_at: datetime | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a folder, by path; `is_cut` if there are more than are listed."""

    entries: tuple[Entry, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of an object to read: `length` bytes from `start`; None for everything after it."""

    start: int = 0
    length: int | None = None
