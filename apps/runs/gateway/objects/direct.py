"""Artifact bytes straight from their store, with the portal's own credential for it."""

from __future__ import annotations

import itertools
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from apps.runs import exceptions
from apps.runs.gateway.objects.address import Address, parse
from apps.runs.gateway.objects.clouds import CloudStore
from apps.runs.gateway.objects.files import FileStore
from apps.runs.gateway.objects.shapes import ArtifactStream, Entry, Facts, Listing, Part
from apps.runs.gateway.objects.stores import StoreConfig
from apps.runs.gateway.objects.web import WebStore

MOST_ENTRIES: Final = 1000
_MOST_PACKED: Final = 10_000


class _Store(Protocol):
    def facts(self, address: Address) -> Facts | None: ...
    def read(self, address: Address, start: int, length: int | None) -> Iterator[bytes]: ...
    def walk(self, address: Address) -> Iterator[Entry]: ...


def open_artifact(store: StoreConfig, address: Address, part: Part, timeout_s: float) -> ArtifactStream:
    """Opens an object, or a folder as a .tar.gz that is packed while it is read.

    Raises:
        RunsError: not there, refused, or no answer.
    """
    files = _opened(store, timeout_s)
    with _errors(address):
        facts = files.facts(address)
    if facts is None:
        return ArtifactStream(
            chunks=_guarded(address, _packed(files, address)), size_bytes=None, content_type="", is_directory=True
        )
    return ArtifactStream(
        chunks=_guarded(address, files.read(address, part.start, part.length)),
        size_bytes=facts.size_bytes,
        content_type="",
        is_directory=False,
        accepts_ranges=True,
        start=part.start,
    )


def list_artifact(store: StoreConfig, address: Address, timeout_s: float) -> Listing:
    """Returns the files below a folder.

    Raises:
        RunsError: not there, refused, or no answer.
    """
    files = _opened(store, timeout_s)
    with _errors(address):
        if files.facts(address) is not None:
            return Listing(entries=())
        found = list(itertools.islice(files.walk(address), MOST_ENTRIES + 1))
    return Listing(entries=tuple(found[:MOST_ENTRIES]), is_cut=len(found) > MOST_ENTRIES)


class StoreReader:
    """One store that the portal reads by itself, object by object, for those who bring sources to renders.

    Every method raises a RunsError whose text is a sentence for people.
    """

    def __init__(self, store: StoreConfig, timeout_s: float) -> None:
        self._files = _opened(store, timeout_s)

    def facts(self, uri: str) -> Facts | None:
        """Returns what the store says of an object; None for a folder."""
        address = parse(uri)
        with _errors(address):
            return self._files.facts(address)

    def walk(self, uri: str) -> Iterator[Entry]:
        """Yields the files below a folder, one after the other: who counts may stop early."""
        address = parse(uri)
        with _errors(address):
            yield from self._files.walk(address)

    def read(self, uri: str) -> Iterator[bytes]:
        """Yields an object's bytes."""
        address = parse(uri)
        return _guarded(address, self._files.read(address, 0, None))


def _opened(store: StoreConfig, timeout_s: float) -> _Store:
    if store.prefix.scheme == "file":
        return FileStore(store)
    return WebStore(store, timeout_s) if store.prefix.scheme == "https" else CloudStore(store, timeout_s)


def _packed(files: _Store, address: Address) -> Iterator[bytes]:
    """Yields a folder as a .tar.gz; one chunk of one file is in memory at a time."""
    pipe = _Pipe()
    with tarfile.open(fileobj=pipe, mode="w|gz") as archive:  # type: ignore[call-overload]
        for entry in itertools.islice(files.walk(address), _MOST_PACKED):
            member = tarfile.TarInfo(entry.path)
            member.size = entry.size_bytes or 0
            member.mtime = int(entry.modified_at.timestamp()) if entry.modified_at else 0
            archive.addfile(member, _Reader(files.read(_below(address, entry.path), 0, member.size)))
            yield pipe.taken()
    yield pipe.taken()


def _below(address: Address, path: str) -> Address:
    return Address(address.scheme, address.bucket, f"{address.key.rstrip('/')}/{path}")


class _Pipe:
    """What tarfile writes to; what was written is taken off again."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        found = bytes(self._written)
        self._written.clear()
        return found


class _Reader:
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._kept = bytearray()

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._kept) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._kept += chunk
        found = bytes(self._kept if size < 0 else self._kept[:size])
        del self._kept[: len(found)]
        return found


def _guarded(address: Address, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with _errors(address):
        for chunk in chunks:
            if chunk:
                yield chunk


@contextmanager
def _errors(address: Address) -> Iterator[None]:
    """Says what a store answered in the portal's words; a client's own text may name accounts, and stays out of it."""
    try:
        yield
    except exceptions.RunsError:
        raise
    except FileNotFoundError as error:
        raise exceptions.NotFoundError(f"There is no object at {address}.") from error
    except PermissionError as error:
        raise exceptions.ForbiddenError(f"The store refuses to let the portal read {address}.") from error
    except (NotADirectoryError, IsADirectoryError) as error:
        raise exceptions.NotFoundError(f"There is no object at {address}.") from error
    except Exception as error:  # each store's client has exceptions of its own, with no common base
        kind = type(error).__name__
        if isinstance(error, OSError) and error.errno in {40, 20}:  # a link where none may be
            raise exceptions.NotFoundError(f"There is no object at {address}.") from error
        raise exceptions.EndpointDownError(
            f"The store of {address.scheme}://{address.bucket} failed ({kind})."
        ) from error
