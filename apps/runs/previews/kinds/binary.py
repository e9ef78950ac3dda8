"""Any bytes: shows the first of them in hexadecimal. Nothing is parsed: loading a pickle would run its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

_DUMPED_BYTES: Final = 256
_DUMP_WIDTH: Final = 16
_FORMATS: Final = (
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"FEA1", "a Feather file of version 1, which is too old to be read here"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryPreview(Preview):
    """The first bytes: `dump` contains lines of (offset, hexadecimal, characters)."""

    preview_kind: str = "binary"
    dump: tuple[tuple[str, str, str], ...] = ()


def read(file: PreviewFile) -> BinaryPreview:
    """Returns the first bytes, and the name of their format if they reveal it."""
    return dumped(file.head, file.known_size)


def dumped(head: bytes, size_bytes: int | None) -> BinaryPreview:
    """Returns the preview of a file that begins with `head`."""
    name = next((name for magic, name in _FORMATS if head.startswith(magic)), "")
    return BinaryPreview(
        size_bytes=size_bytes,
        is_cut=len(head) > _DUMPED_BYTES,
        dump=tuple(_lines(head[:_DUMPED_BYTES])),
        note=f"By its first bytes this is {name}." if name else "",
    )


def _lines(head: bytes) -> Iterator[tuple[str, str, str]]:
    for start in range(0, len(head), _DUMP_WIDTH):
        line = head[start : start + _DUMP_WIDTH]
        hexadecimal = f"{line[:8].hex(' ')}  {line[8:].hex(' ')}".strip()
        yield f"{start:04x}", hexadecimal, "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)


KIND: Final = PreviewKind(key="binary", detect=lambda _: Evidence.ANY_BYTES, read=read)
