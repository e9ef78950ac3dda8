"""Folders as archives: packed while they are sent, and unpacked while they arrive."""

from __future__ import annotations

import io
import itertools
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from apps.runs.exceptions import EndpointError
from apps.runs.gateway.objects.shapes import Entry

_CHUNK: Final = 1024**2
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """A regular file of an archive; read `chunks` before the next file is requested, or not at all."""

    parts: tuple[str, ...]
    size_bytes: int
    chunks: Iterator[bytes]


def pack(entries: Iterator[Entry], read: Callable[[Entry], Iterator[bytes]]) -> Iterator[bytes]:
    """Yields a .tar.gz; only one chunk of one file is in memory at a time."""
    pipe = _Pipe()
    with tarfile.open(fileobj=pipe, mode="w|gz") as archive:  # type: ignore[call-overload]
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.size = entry.size_bytes or 0
            member.mtime = int(entry.modified_at.timestamp()) if entry.modified_at else 0
            archive.addfile(member, _file_of(read(entry)))
            yield pipe.take()
    yield pipe.take()


def unpack(chunks: Iterator[bytes], check: Callable[[int], None]) -> Iterator[PackedFile]:
    """Yields the regular files of a tar or .tar.gz; skips links, devices and names that lead outside.

    Args:
        chunks: of the archive.
        check: called with the number of bytes read so far, after decompression; stops the reading by raising. Headers
            alone could fill the memory.

    Raises:
        EndpointError: the archive is damaged or incomplete.
    """
    with _damage(), tarfile.open(fileobj=_file_of(_checked(_inflated(chunks), check)), mode="r|") as archive:
        for member in archive:
            parts = _member_parts(member.name) if member.isreg() else ()
            if parts:
                yield PackedFile(parts=parts, size_bytes=member.size, chunks=_member_chunks(archive, member))


def _member_parts(name: str) -> tuple[str, ...]:
    """Returns the components of a member's path; empty for one that leads outside."""
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    return () if ".." in parts or name.startswith("/") else parts


def _member_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with _damage():
        file = archive.extractfile(member)
        rest = member.size
        while file is not None and (chunk := file.read(_CHUNK)):
            rest -= len(chunk)
            yield chunk
        if rest:
            # tarfile raises nothing when a stream ends inside a file.
            raise EOFError("a file ends early")


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise EndpointError("The folder arrived damaged. Try again.") from error


def _checked(chunks: Iterator[bytes], check: Callable[[int], None]) -> Iterator[bytes]:
    read = 0
    for chunk in chunks:
        read += len(chunk)
        check(read)
        yield chunk


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompresses gzip, if present, a chunk at a time, so that a bomb hits the limit before it fills the memory."""
    first = next(chunks, b"")
    whole = itertools.chain([first], chunks)
    if not first.startswith(_GZIP):
        yield from whole
        return
    inflater = zlib.decompressobj(wbits=31)
    for chunk in whole:
        rest = chunk
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _CHUNK)
            rest = inflater.unconsumed_tail
    if not inflater.eof:
        raise EOFError("the stream ends early")


class _Pipe:
    """The file that tarfile writes to, and from which the written bytes are taken."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        found = bytes(self._written)
        self._written.clear()
        return found


def _file_of(chunks: Iterator[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_ChunkReader(chunks), _CHUNK)


class _ChunkReader(io.RawIOBase):
    """An iterator of byte strings as a file that can only be read forwards."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Always True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Copies at most the rest of one chunk into the buffer; returns 0 at the end."""
        view = memoryview(buffer)
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        count = min(len(view), len(self._rest))
        view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
