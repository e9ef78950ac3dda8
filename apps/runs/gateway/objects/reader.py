"""Objects read directly from their store with the portal's own credential, for artifacts and for sources."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from apps.runs import exceptions
from apps.runs.gateway.objects import archives
from apps.runs.gateway.objects.address import ObjectAddress
from apps.runs.gateway.objects.clouds import CloudStore
from apps.runs.gateway.objects.files import FileStore
from apps.runs.gateway.objects.shapes import MOST_LISTED, ArtifactStream, Entry, Facts, Listing, Part
from apps.runs.gateway.objects.stores import StoreConfig
from apps.runs.gateway.objects.web import WebStore

_MOST_PACKED: Final = 10_000
_DEEPEST: Final = 64


class _Store(Protocol):
    def facts(self, address: ObjectAddress) -> Facts | None: ...
    def read(self, address: ObjectAddress, start: int, length: int | None) -> Iterator[bytes]: ...
    def walk(self, address: ObjectAddress, enters: Callable[[tuple[str, ...]], bool], /) -> Iterator[Entry]: ...


def _enters_all(parts: tuple[str, ...]) -> bool:
    return len(parts) < _DEEPEST


class StoreReader:
    """One store that the portal reads directly, object by object.

    Methods raise only RunsErrors, whose text is a sentence for people: not found, refused, or no answer.
    """

    def __init__(self, store: StoreConfig, timeout_s: float) -> None:
        self._store = _opened(store, timeout_s)

    def facts(self, address: ObjectAddress) -> Facts | None:
        """Returns the store's facts about an object; None for a folder."""
        with _errors(address):
            return self._store.facts(address)

    def walk(self, address: ObjectAddress, enters: Callable[[tuple[str, ...]], bool] = _enters_all) -> Iterator[Entry]:
        """Yields the files below a folder one by one, so a caller that counts may stop early.

        Args:
            address: of the folder.
            enters: whether files below this folder are wanted. A store that lists all of them at once does not call it.
        """
        with _errors(address):
            yield from self._store.walk(address, enters)

    def read(self, address: ObjectAddress, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yields an object's bytes; `length` None reads everything from `start` on."""
        with _errors(address):
            yield from filter(None, self._store.read(address, start, length))

    def open_artifact(self, address: ObjectAddress, part: Part) -> ArtifactStream:
        """Opens an object, or a folder as a .tar.gz that is packed while it is read."""
        facts = self.facts(address)
        if facts is None:
            return ArtifactStream(chunks=self._pack(address), size_bytes=None, content_type="", is_directory=True)
        return ArtifactStream(
            chunks=self.read(address, part.start, part.length),
            size_bytes=facts.size_bytes,
            content_type="",
            is_directory=False,
            accepts_ranges=True,
            start=part.start,
        )

    def _pack(self, address: ObjectAddress) -> Iterator[bytes]:
        def read(entry: Entry) -> Iterator[bytes]:
            return self.read(address.below(entry.path), 0, entry.size_bytes or 0)

        entries = itertools.islice(self.walk(address), _MOST_PACKED)
        # tarfile raises an OSError for a file that has become shorter.
        with _errors(address):
            yield from filter(None, archives.pack(entries, read))

    def list_artifact(self, address: ObjectAddress) -> Listing:
        """Returns the first files below a folder; empty for a file."""
        if self.facts(address) is not None:
            return Listing(entries=())
        found = tuple(itertools.islice(self.walk(address), MOST_LISTED + 1))
        return Listing(entries=found[:MOST_LISTED], is_cut=len(found) > MOST_LISTED)


def _opened(store: StoreConfig, timeout_s: float) -> _Store:
    if store.prefix.scheme == "file":
        return FileStore(store)
    return WebStore(store, timeout_s) if store.prefix.scheme == "https" else CloudStore(store, timeout_s)


@contextmanager
def _errors(address: ObjectAddress) -> Iterator[None]:
    """Context manager: reports a store's errors in the portal's words. A client's own text may name accounts."""
    try:
        yield
    except exceptions.RunsError:
        raise
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _missing(address) from error
    except PermissionError as error:
        raise exceptions.ForbiddenError(f"The store refuses to let the portal read {address}.") from error
    except Exception as error:  # each store's client has its own exceptions, without a common base
        if isinstance(error, OSError) and error.errno in {errno.ELOOP, errno.ENOTDIR}:  # a link where none is allowed
            raise _missing(address) from error
        kind = type(error).__name__
        raise exceptions.EndpointDownError(
            f"The store of {address.scheme}://{address.host} failed ({kind})."
        ) from error


def _missing(address: ObjectAddress) -> exceptions.NotFoundError:
    return exceptions.NotFoundError(f"There is no {'file' if address.scheme == 'file' else 'object'} at {address}.")
