"""The input directory of a render: everything that enters is counted, timed, limited and digested."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from apps.visualizations.exceptions import SourceError
from apps.visualizations.states import Reason

MAX_FILES = 200
MAX_SECONDS = 60.0
MAX_DEPTH = 8
# "=" occurs in names of partition folders, such as day=Sun.
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedSource:
    """A fetched source.

    Attributes:
        source: what the code gets: a file's path, or a pattern or directory if there are several files; "" for none.
        digest: SHA-256 over the names and contents of the files, ordered by name.
        size_bytes: total size of the files.
        version: identifies the content without reading it (`source_version`); "" if nothing does.
    """

    source: str
    digest: str
    size_bytes: int
    files: int
    version: str = ""


def listing_version(entries: Iterable[tuple[str, int | None, str]]) -> str:
    """Returns one version for files given as (name, size in bytes, store's version); "" if neither is known of any."""
    known = sorted((name, size, version) for name, size, version in entries if size is not None or version)
    return hashlib.sha256(repr(known).encode()).hexdigest() if known else ""


def safe_name(name: str) -> str:
    """Returns a file name that keeps the suffix, free of characters special to shells, paths or patterns."""
    cleaned = _UNSAFE.sub("_", name).lstrip(".-")[-120:]
    return cleaned or "source"


def safe_path(parts: Iterable[str]) -> str:
    """Returns a path of safe names, limited to the last eight."""
    return "/".join(safe_name(part) for part in list(parts)[-MAX_DEPTH:])


@dataclass(slots=True, kw_only=True)
class Download:
    """Writes files below `directory` within limits; `on_chunk` is called often and may raise to stop."""

    directory: Path
    max_bytes: int
    on_chunk: Callable[[], None] = lambda: None
    max_seconds: float = MAX_SECONDS
    max_files: int = MAX_FILES
    size_bytes: int = 0
    _digests: dict[str, str] = field(default_factory=dict)
    _listing: list[tuple[str, int | None, str]] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def check_size(self, size_bytes: int | None) -> None:
        """Rejects further data that would exceed the limit, before it is fetched if its size is known.

        Raises:
            SourceError: `source_too_big`.
        """
        if size_bytes is not None and self.size_bytes + size_bytes > self.max_bytes:
            raise SourceError(
                f"The source has {size_bytes:,} bytes, the limit is {self.max_bytes:,}.", code=Reason.SOURCE_TOO_BIG
            )

    def check_time(self) -> None:
        """Raises SourceError, `source_timeout`, if fetching takes too long."""
        self.on_chunk()
        if time.monotonic() - self._started > self.max_seconds:
            raise SourceError(
                f"Fetching the source took longer than {self.max_seconds:g} s.", code=Reason.SOURCE_TIMEOUT
            )

    def save(self, relative: str, chunks: Iterable[bytes]) -> Path:
        """Writes one file; `relative` is a path of safe names.

        Raises:
            SourceError: `source_too_big`, `source_timeout`, or `source_refused` for a name that already exists.
        """
        path = self._make_room(relative)
        digest = hashlib.sha256()
        try:
            # O_EXCL: two members of one name never overwrite each other, and links are not followed.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise SourceError("Two files of the source share a name.", code=Reason.SOURCE_REFUSED) from error
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                self.check_time()
                self.check_size(len(chunk))
                self.size_bytes += len(chunk)
                digest.update(chunk)
                file.write(chunk)
        self._digests[relative] = digest.hexdigest()
        return path

    def take(self, relative: str, sha256: str, size_bytes: int, link: Callable[[Path], None]) -> Path:
        """Adds a file that is already on this disk; `link` creates it at the given path.

        Raises:
            SourceError: see `save`.
            FileNotFoundError: the file no longer exists.
        """
        path = self._make_room(relative)
        self.check_size(size_bytes)
        try:
            link(path)
        except FileExistsError as error:
            raise SourceError("Two files of the source share a name.", code=Reason.SOURCE_REFUSED) from error
        self.size_bytes += size_bytes
        self._digests[relative] = sha256
        return path

    def note(self, relative: str, size_bytes: int | None, version: str) -> None:
        """Notes the size and version that a store reported for a file when it was read."""
        self._listing.append((relative, size_bytes, version))

    def digest(self, relative: str) -> str:
        """Returns the SHA-256 of a saved or added file."""
        return self._digests[relative]

    def _make_room(self, relative: str) -> Path:
        self.check_time()
        if len(self._digests) >= self.max_files:
            raise SourceError(f"The source has more than {self.max_files} files.", code=Reason.SOURCE_TOO_BIG)
        path = self.directory / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise SourceError("A file and a folder of the source share a name.", code=Reason.SOURCE_REFUSED) from error
        return path

    def done_matches(self, depth: int) -> FetchedSource:
        """Ends the download of a pattern's matches: one file as itself, several as a pattern of the same depth."""
        if len(self._digests) == 1:
            return self.done(str(self.directory / next(iter(self._digests))))
        return self.done(str(self.directory.joinpath(*["*"] * depth)))

    def done(self, source: str) -> FetchedSource:
        """Ends the download; `source` is what the code gets."""
        whole = hashlib.sha256()
        for name in sorted(self._digests):
            whole.update(f"{name}\0{self._digests[name]}\n".encode())
        return FetchedSource(
            source=source,
            digest=whole.hexdigest(),
            size_bytes=self.size_bytes,
            files=len(self._digests),
            version=listing_version(self._listing),
        )
