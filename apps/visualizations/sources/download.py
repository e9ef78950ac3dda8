"""The input directory of one render: everything that enters is counted, timed, limited and digested."""

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
# "=" is in the names of folders that hold a partition, such as day=Sun.
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedSource:
    """What arrived.

    Attributes:
        source: what the code gets: a file's path, or a pattern or directory where there are several; "" for none.
        digest: SHA-256 over names and contents, in the order of their names.
        size_bytes: of all files together.
        version: what tells this content from another without reading it (`source_version`); "" where nothing does.
    """

    source: str
    digest: str
    size_bytes: int
    files: int
    version: str = ""


def listing_version(entries: Iterable[tuple[str, int | None, str]]) -> str:
    """Returns one version of files given as (name, size in bytes, the store's version); "" where all say nothing."""
    known = sorted((name, size, version) for name, size, version in entries if size is not None or version)
    return hashlib.sha256(repr(known).encode()).hexdigest() if known else ""


def safe_name(name: str) -> str:
    """Returns a file name that keeps the suffix and nothing that a shell, a path or a pattern could read."""
    cleaned = _UNSAFE.sub("_", name).lstrip(".-")[-120:]
    return cleaned or "source"


def safe_path(parts: Iterable[str]) -> str:
    """Returns a path of safe names, its last eight."""
    return "/".join(safe_name(part) for part in list(parts)[-MAX_DEPTH:])


@dataclass(slots=True, kw_only=True)
class Download:
    """Writes files below `directory` within the limits; `on_chunk` is called often and may raise to stop."""

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
        """Refuses before anything is fetched, where the size is known.

        Raises:
            SourceError: `source_too_big`.
        """
        if size_bytes is not None and self.size_bytes + size_bytes > self.max_bytes:
            raise SourceError(
                f"The source has {size_bytes:,} bytes, the limit is {self.max_bytes:,}.", code=Reason.SOURCE_TOO_BIG
            )

    def check_time(self) -> None:
        """Raises SourceError, `source_timeout`, when fetching took too long."""
        self.on_chunk()
        if time.monotonic() - self._started > self.max_seconds:
            raise SourceError(
                f"Fetching the source took longer than {self.max_seconds:g} s.", code=Reason.SOURCE_TIMEOUT
            )

    def save(self, relative: str, chunks: Iterable[bytes]) -> Path:
        """Writes one file; `relative` is a path of safe names.

        Raises:
            SourceError: `source_too_big`, `source_timeout`, or `source_refused` for a name that is there already.
        """
        path = self._make_room(relative)
        digest = hashlib.sha256()
        try:
            # O_EXCL: two members of one name never overwrite each other, and nothing is followed.
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
        """Takes one file that is on this disk already; `link` puts it at the path it is given.

        Raises:
            SourceError: as `save`.
            FileNotFoundError: it is there no longer.
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
        """Notes what a store said of a file when it was read."""
        self._listing.append((relative, size_bytes, version))

    def digest(self, relative: str) -> str:
        """Returns the SHA-256 of a file that was saved or taken."""
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
        """Ends the download of what a pattern matched: one file as itself, several as a pattern of the same depth."""
        if len(self._digests) == 1:
            return self.done(str(self.directory / next(iter(self._digests))))
        return self.done(str(self.directory.joinpath(*["*"] * depth)))

    def done(self, source: str) -> FetchedSource:
        """Ends the download; `source` is what the code will see."""
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
