"""Objects that the portal reads by itself: one, a folder, or what a pattern matches; again from the cache."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from apps.runs.gateway import Entry, ObjectAddress, StoreReader
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import MAX_DEPTH, Download, FetchedSource, safe_name, safe_path
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
    """Brings the object at an address, the folder there, or the files below it that fit `pattern`.

    Args:
        cache: None for what is on this machine anyway.

    Raises:
        SourceError: nothing there or nothing fits, it changed while it was read, or a limit.
        RunsError: the store does not give it.
    """
    facts = None if pattern else reader.facts(address)
    if facts is not None:
        name = safe_name(address.key.rstrip("/").rpartition("/")[2])
        entry = Entry(path="", size_bytes=facts.size_bytes, version=facts.version)
        _bring(reader, address, name, entry, download, cache)
        return download.done(str(download.directory / name))
    found = 0
    for entry in _walk(reader, address, download, pattern):
        parts = tuple(part for part in entry.path.split("/") if part)
        if pattern and not pattern_fits(pattern, parts):
            continue
        _bring(reader, address.below(entry.path), safe_path(parts), entry, download, cache)
        found += 1
    if not found:
        raise SourceError(
            f"There is no file{' that fits' if pattern else ''} at {address}.", code=Reason.SOURCE_MISSING
        )
    return download.done_matches(len(pattern)) if pattern else download.done(str(download.directory))


def _walk(reader: StoreReader, address: ObjectAddress, download: Download, pattern: tuple[str, ...]) -> Iterator[Entry]:
    def enters(parts: tuple[str, ...]) -> bool:
        if not pattern:
            return len(parts) < MAX_DEPTH
        return len(parts) < len(pattern) and pattern_fits(pattern[: len(parts)], parts)

    for count, entry in enumerate(itertools.islice(reader.walk(address, enters), MAX_ENTRIES + 1)):
        download.check_time()
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
        return False  # thrown out by another worker in between
    return True
