"""What is known of an artifact's bytes, whichever way they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.runs.exceptions import EndpointError, NotFoundError

# How many files of a folder are listed.
MOST_LISTED: Final = 1000


class NotRegularFileError(NotFoundError):
    """A device, a pipe or a socket is where a file should be."""


class TooManyEntriesError(EndpointError):
    """A folder holds more than is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactStream:
    """An artifact's bytes, readable once, inside the `with` block that opened it.

    Attributes:
        chunks: the bytes; may raise EndpointDownError when the connection breaks off.
        size_bytes: of the whole object; None where nobody said.
        content_type: as announced; "" where nobody said (the usual case).
        is_directory: the URI names a folder; the bytes are then a .tar.gz of it.
        accepts_ranges: whether a part of it can be asked for.
        start: the first byte that `chunks` holds.
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
    """What a store says of one object.

    Attributes:
        size_bytes: None where it says nothing.
        version: changes with the content (an ETag, a generation, or time and size); "" where it says nothing.
    """

    size_bytes: int | None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a folder; `path` is below the folder, with forward slashes; `version` as in `Facts`."""

    path: str
    size_bytes: int | None = None
    modified_at: datetime | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a folder, by path; `is_cut` where there are more than are listed."""

    entries: tuple[Entry, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What to read of an object: `length` bytes from `start`; None for all the rest."""

    start: int = 0
    length: int | None = None
