"""The contents of a .gz or .tar.gz, one level deep, read with the standard library; nothing is written to disk."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from apps.runs.previews.file_names import unpacked_name
from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, PEEK_BYTES
from apps.runs.previews.source import Source

GZIP_MAGIC: Final = b"\x1f\x8b"
_BLOCK: Final = tarfile.BLOCKSIZE
_PIECE: Final = 64 * 1024
_MOST_PACKED_BYTES: Final = LARGEST_WHOLE_BYTES
_MOST_UNPACKED_BYTES: Final = 2 * LARGEST_WHOLE_BYTES
_MOST_MEMBERS: Final = 200
_LARGEST_EXTRA_BYTES: Final = 64 * 1024


class BrokenArchiveError(Exception):
    """The bytes are not gzip, or end early; the text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive; its size is the one that the archive states."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleFile:
    """The only file of an archive; `size_bytes` is None if the archive does not state it."""

    name: str
    source: Source
    size_bytes: int | None = None


@dataclass(slots=True, kw_only=True)
class Folder:
    """The files of a .tar.gz.

    Attributes:
        first: the first file's bytes, up to LARGEST_WHOLE_BYTES.
        is_cut: whether there may be more files than were examined.
        left_out: the number of links, devices and names that lead outside.
    """

    members: list[Member] = field(default_factory=list)
    first: bytes = b""
    is_cut: bool = False
    left_out: int = 0


def opened(packed: Source, name: str, *, is_directory: bool = False) -> SingleFile | Folder:
    """Returns the contents of a gzip, which is decompressed only as far as it is read.

    Args:
        packed: the bytes of the gzip.
        name: the file name of the gzip.
        is_directory: it represents a folder; a folder with one file is still a folder.

    Raises:
        BrokenArchiveError: not even the first file could be read. Reading the source of a single file raises it too.
    """
    inflated = Source(_inflated(packed.chunks(_MOST_PACKED_BYTES)))
    start = inflated.peek(PEEK_BYTES)
    if _header(start[:_BLOCK]) is None and (start or not is_directory):
        return SingleFile(name=unpacked_name(name), source=inflated)
    folder = _folder(inflated)
    if is_directory or len(folder.members) != 1:
        return folder
    member = folder.members[0]
    return SingleFile(name=member.name, source=Source(iter([folder.first])), size_bytes=member.size_bytes)


def _folder(tar: Source) -> Folder:
    """Returns the files of a tar, without links and names that lead outside."""
    found = Folder()
    blocks = _Blocks(tar)
    try:
        _walk(blocks, found)
    except (EOFError, BrokenArchiveError) as error:
        found.is_cut = True
        if not found.members:
            raise BrokenArchiveError("The archive ends before its first file.") from error
    return found


def _walk(blocks: _Blocks, found: Folder) -> None:
    long_name = ""
    while (header := _header(blocks.read(_BLOCK))) is not None:
        size = max(0, header.size)
        if header.type in {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE}:
            long_name = _long_name(header.type, blocks.read(min(size, _LARGEST_EXTRA_BYTES)))
            blocks.skip(max(0, size - _LARGEST_EXTRA_BYTES), padding_of=size)
            continue
        name, long_name = long_name or header.name, ""
        if not header.isreg() or _leads_outside(name):
            found.left_out += not header.isdir() and header.type not in {tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK}
            blocks.skip(size, padding_of=size)
            continue
        if len(found.members) >= _MOST_MEMBERS:
            found.is_cut = True
            return
        found.members.append(Member(name=name, size_bytes=size))
        taken = min(size, LARGEST_WHOLE_BYTES) if len(found.members) == 1 else 0
        if taken:
            found.first = blocks.read_some(taken)
        blocks.skip(size - taken, padding_of=size)


def _header(block: bytes) -> tarfile.TarInfo | None:
    """Parses a header; None for the zeros at the end and for anything else."""
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or ".." in PurePosixPath(name).parts


def _long_name(kind: bytes, extra: bytes) -> str:
    if kind == tarfile.GNUTYPE_LONGNAME:
        return extra.rstrip(b"\x00").decode("utf-8", "replace")
    # A record of a pax header: b"27 path=folder/file.csv\n".
    records = (line.partition(b" ")[2] for line in extra.split(b"\n"))
    path = next((record for record in records if record.startswith(b"path=")), b"")
    return path.removeprefix(b"path=").decode("utf-8", "replace")


class _Blocks:
    """Reads exact numbers of bytes from a source."""

    def __init__(self, source: Source) -> None:
        self._chunks = source.chunks(_MOST_UNPACKED_BYTES)
        self._kept = b""

    def read(self, count: int) -> bytes:
        """Returns exactly `count` bytes, or raises EOFError."""
        found = self.read_some(count)
        if len(found) < count:
            raise EOFError
        return found

    def read_some(self, count: int) -> bytes:
        """Returns `count` bytes, or fewer at the end."""
        found = bytearray()
        while len(found) < count:
            piece = self._kept or next(self._chunks, b"")
            if not piece:
                break
            taken = count - len(found)
            found += piece[:taken]
            self._kept = piece[taken:]
        return bytes(found)

    def skip(self, count: int, *, padding_of: int) -> None:
        """Skips bytes and the padding of the last block of a file of that size."""
        left = count + -padding_of % _BLOCK
        while left:
            left -= len(self.read(min(left, _PIECE)))


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflater, is_begun = zlib.decompressobj(wbits=31), False
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if inflater.eof:  # a gzip may consist of several members in sequence
                    inflater = zlib.decompressobj(wbits=31)
                piece = inflater.decompress(rest, _PIECE)
                is_begun = True
                if piece:
                    yield piece
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    except zlib.error as error:
        if not is_begun or not inflater.eof:
            raise BrokenArchiveError("The gzip data is broken.") from error
