"""Artifacts of a run, streamed through the gateway; a directory arrives as one tar and is unpacked within limits."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.download import Download, FetchedSource, safe_name, safe_path
from apps.visualizations.states import Reason

if TYPE_CHECKING:
    from apps.runs.gateway import Gateway

_CHUNK = 1024**2


class _ChunkReader(io.RawIOBase):
    """An iterator of byte strings as a file that can only be read forwards."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills at most one chunk's rest into the buffer; 0 at the end."""
        view = memoryview(buffer)
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        count = min(len(view), len(self._rest))
        view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Undoes gzip, at most a chunk at a time, so that a bomb meets the limit before it meets the memory."""
    inflater = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        rest = chunk
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _CHUNK)
            rest = inflater.unconsumed_tail
    if not inflater.eof:
        raise EOFError("the stream ends early")


def _plain(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Passes a tar on, inflated where it is compressed."""
    first = next(chunks, b"")
    whole = _chain(first, chunks)
    return _inflate(whole) if first.startswith(b"\x1f\x8b") else whole


def _chain(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _limited(chunks: Iterator[bytes], intake: Download) -> Iterator[bytes]:
    """Counts what a tar holds beside its files: headers alone could fill a memory."""
    read = 0
    limit = intake.max_bytes + 8 * _CHUNK
    for chunk in chunks:
        intake.check_time()
        read += len(chunk)
        if read > limit:
            raise SourceError(f"The source has more than {intake.max_bytes:,} bytes.", code=Reason.SOURCE_TOO_BIG)
        yield chunk


def _member_parts(name: str) -> tuple[str, ...]:
    """Returns the parts of a member's path; none for one that leads outside."""
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    return () if ".." in parts or name.startswith("/") else parts


def _member_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(member)
    rest = member.size
    while file is not None and (chunk := file.read(_CHUNK)):
        rest -= len(chunk)
        yield chunk
    if rest:
        # Reading a tar stream that breaks off inside a file raises nothing.
        raise EOFError("a file ends early")


def _unpack(chunks: Iterator[bytes], intake: Download, pattern: tuple[str, ...]) -> None:
    """Writes the regular files of a tar stream; links, devices and names that lead outside are left out."""
    saved = 0
    stream = io.BufferedReader(_ChunkReader(_limited(_plain(chunks), intake)), _CHUNK)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                intake.check_time()
                parts = _member_parts(member.name) if member.isreg() else ()
                if parts and (not pattern or pattern_fits(pattern, parts)):
                    intake.check_size(member.size)
                    intake.save(safe_path(parts), _member_chunks(archive, member))
                    saved += 1
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError("The artifact's folder arrived damaged. Try again.", code=Reason.SOURCE_MISSING) from error
    if pattern and not saved:
        raise SourceError(f"No file of the folder fits {'/'.join(pattern)}.", code=Reason.SOURCE_MISSING)


def artifact_fetch(gateway: Gateway, uri: str, intake: Download, *, pattern: tuple[str, ...] = ()) -> FetchedSource:
    """Streams the object (or directory) at `uri` into the intake, through the endpoint's artifact gateway.

    Args:
        gateway: with the rights of who asked, or of the portal.
        pattern: of a folder, only the files that fit it are kept.

    Raises:
        SourceError: `source_missing`, or a limit.
        RunsError: Kubeflow does not give it.
    """
    name = safe_name(uri.rstrip("/").rpartition("/")[2])
    with gateway.open_artifact(uri, namespace=gateway.endpoint.namespace) as stream:
        if stream.is_directory:
            _unpack(iter(stream.chunks), intake, pattern)
            return intake.done_matches(len(pattern)) if pattern else intake.done(str(intake.directory))
        if pattern:
            raise SourceError(f"{uri} is one file, and no folder that a pattern could look into.")
        intake.check_size(stream.size_bytes)
        path = intake.save(name, stream.chunks)
        return intake.done(str(path))
