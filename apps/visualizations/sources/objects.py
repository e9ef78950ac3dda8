"""Objects of stores that the portal reads by itself: one, a folder, or what a pattern matches; again from the cache."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from apps.runs.gateway import Entry, StoreReader
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import Download, FetchedSource, safe_name, safe_path
from apps.visualizations.states import Reason

MAX_ENTRIES = 10_000


def objects_fetch(
    reader: StoreReader, uri: str, intake: Download, cache: SourceCache, *, pattern: tuple[str, ...] = ()
) -> FetchedSource:
    """Brings the object at `uri`, the folder there, or the files below it that fit `pattern`.

    Raises:
        SourceError: nothing there or nothing fits, it changed while it was read, or a limit.
        RunsError: the store does not give it.
    """
    facts = None if pattern else reader.facts(uri)
    if facts is not None:
        name = safe_name(uri.rstrip("/").rpartition("/")[2])
        _bring(reader, uri, name, Entry(path="", size_bytes=facts.size_bytes, version=facts.version), intake, cache)
        return intake.done(str(intake.directory / name))
    found = 0
    for entry in _walk(reader, uri, intake):
        parts = tuple(part for part in entry.path.split("/") if part)
        if pattern and not pattern_fits(pattern, parts):
            continue
        _bring(reader, f"{uri.rstrip('/')}/{entry.path}", safe_path(parts), entry, intake, cache)
        found += 1
    if not found:
        raise SourceError(f"There is no file{' that fits' if pattern else ''} at {uri}.", code=Reason.SOURCE_MISSING)
    return intake.done_matches(len(pattern)) if pattern else intake.done(str(intake.directory))


def _walk(reader: StoreReader, uri: str, intake: Download) -> Iterator[Entry]:
    for count, entry in enumerate(itertools.islice(reader.walk(uri), MAX_ENTRIES + 1)):
        intake.check_time()
        if count >= MAX_ENTRIES:
            raise SourceError(f"The folder has more than {MAX_ENTRIES:,} entries.", code=Reason.SOURCE_TOO_BIG)
        yield entry


def _bring(reader: StoreReader, uri: str, relative: str, entry: Entry, intake: Download, cache: SourceCache) -> None:
    kept = cache.find(uri, entry.version)
    if kept is not None:
        try:
            intake.take(relative, kept.sha256, kept.size_bytes, kept.link)
        except FileNotFoundError:
            pass  # thrown out by another worker in between
        else:
            return
    intake.check_size(entry.size_bytes)
    path = intake.save(relative, reader.read(uri))
    if entry.version:
        after = reader.facts(uri)
        if after is None or (after.version and after.version != entry.version):
            raise SourceError(f"{uri} changed while it was read. Try again.", code=Reason.SOURCE_CHANGED)
        cache.keep(uri, entry.version, path, intake.digest(relative))
