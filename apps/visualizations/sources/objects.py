"""Objects that the portal reads directly: one, a folder, or a pattern's matches; uses the cache."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Final

from apps.runs.gateway import Entry, ObjectAddress, StoreReader
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import (
    MAX_DEPTH,
    Download,
    FetchedSource,
    listing_version,
    safe_name,
    safe_path,
)
from apps.visualizations.states import Reason

MAX_ENTRIES: Final = 10_000


def objects_fetch(
    reader: StoreReader,
    address: ObjectAddress,
    download: Download,
    cache: SourceCache | None,
    *,
    pattern: tuple[str, ...] = (),
) -> FetchedSource:
    """Fetches the object at an address, the folder there, or the files below it that match `pattern`.

    Args:
        cache: None for files that are on this machine anyway.

    Raises:
        SourceError: nothing exists or matches, it changed while it was read, or a limit is exceeded.
        RunsError: the store does not deliver it.
    """
    found = False
    for each, relative, entry in _files(reader, address, pattern, download.check_time):
        found = True
        _bring(reader, each, relative, entry, download, cache)
        download.note(relative, entry.size_bytes, entry.version)
        if each == address:
            return download.done(str(download.directory / relative))
    if not found:
        raise _missing(address, pattern)
    return download.done_matches(len(pattern)) if pattern else download.done(str(download.directory))


def objects_version(reader: StoreReader, address: ObjectAddress, *, pattern: tuple[str, ...] = ()) -> str:
    """Returns the version that `objects_fetch` would get (download.listing_version), without reading any content.

    Raises:
        SourceError, RunsError: see `objects_fetch`.
    """
    files = [(relative, entry.size_bytes, entry.version) for _, relative, entry in _files(reader, address, pattern)]
    if not files:
        raise _missing(address, pattern)
    return listing_version(files)


def source_name(address: ObjectAddress) -> str:
    """Returns an object's name in a render's input directory."""
    return safe_name(address.key.rstrip("/").rpartition("/")[2])


def _missing(address: ObjectAddress, pattern: tuple[str, ...]) -> SourceError:
    return SourceError(f"There is no file{' that fits' if pattern else ''} at {address}.", code=Reason.SOURCE_MISSING)


def _files(
    reader: StoreReader, address: ObjectAddress, pattern: tuple[str, ...], on_entry: Callable[[], None] = lambda: None
) -> Iterator[tuple[ObjectAddress, str, Entry]]:
    """Yields (address, path in the input directory, entry) of the object, or of each matching file of the folder."""
    facts = None if pattern else reader.facts(address)
    if facts is not None:
        yield address, source_name(address), Entry(path="", size_bytes=facts.size_bytes, version=facts.version)
        return
    for entry in _walk(reader, address, pattern, on_entry):
        parts = tuple(part for part in entry.path.split("/") if part)
        if not pattern or pattern_fits(pattern, parts):
            yield address.below(entry.path), safe_path(parts), entry


def _walk(
    reader: StoreReader, address: ObjectAddress, pattern: tuple[str, ...], on_entry: Callable[[], None]
) -> Iterator[Entry]:
    def enters(parts: tuple[str, ...]) -> bool:
        if not pattern:
            return len(parts) < MAX_DEPTH
        return len(parts) < len(pattern) and pattern_fits(pattern[: len(parts)], parts)

    for count, entry in enumerate(itertools.islice(reader.walk(address, enters), MAX_ENTRIES + 1)):
        on_entry()
        if count >= MAX_ENTRIES:
            raise SourceError(f"The folder has more than {MAX_ENTRIES:,} entries.", code=Reason.SOURCE_TOO_BIG)
        yield entry


def _bring(
    reader: StoreReader,
    address: ObjectAddress,
    relative: str,
    entry: Entry,
    download: Download,
    cache: SourceCache | None,
) -> None:
    if cache is not None and _take_kept(address, relative, entry, download, cache):
        return
    download.check_size(entry.size_bytes)
    path = download.save(relative, reader.read(address))
    if entry.version:
        after = reader.facts(address)
        if after is None or (after.version and after.version != entry.version):
            raise SourceError(f"{address} changed while it was read. Try again.", code=Reason.SOURCE_CHANGED)
        if cache is not None:
            cache.keep(address.uri, entry.version, path, download.digest(relative))


def _take_kept(address: ObjectAddress, relative: str, entry: Entry, download: Download, cache: SourceCache) -> bool:
    kept = cache.find(address.uri, entry.version)
    if kept is None:
        return False
    try:
        download.take(relative, kept.sha256, kept.size_bytes, kept.link)
    except FileNotFoundError:
        return False  # evicted by another worker in between
    return True
