"""Detects a file's format by its first bytes, because artifacts rarely have a suffix."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from ..encoding import wide_encoding
from ..records import begins_record

Kind = Literal["parquet", "arrow", "stream", "orc", "avro", "json", "text"]

HEAD_BYTES: Final = 64 * 1024
TABLES: Final = "CSV, TSV, JSON, Parquet, Arrow, Avro or ORC"
PACKINGS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_COLUMNAR: Final[dict[bytes, Kind]] = {
    b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "stream", b"ORC": "orc", b"Obj\x01": "avro",
}  # fmt: skip
NAMES: Final[dict[Kind, str]] = {
    "parquet": "a Parquet file", "arrow": "an Arrow file", "stream": "an Arrow stream", "avro": "an Avro file",
    "orc": "an ORC file", "json": "JSON", "text": "text",
}  # fmt: skip
# Formats that people choose by mistake: the name, and the type that shows it.
_OTHERS: Final = (
    (b"\x89PNG", "a PNG image", "Image and text grid"),
    (b"\xff\xd8\xff", "a JPEG image", "Image and text grid"),
    (b"GIF8", "a GIF image", "Image and text grid"),
    (b"RIFF", "an image or a sound (RIFF)", "Image and text grid"),
    (b"%PDF", "a PDF document", ""),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"\x89HDF", "an HDF5 file", ""),
    (b"SQLite format 3", "an SQLite database", ""),
    (b"FEA1", "a Feather file of version 1, which is too old to be read here; write it again as version 2", ""),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV", ""),
    (b"ustar", "a tar archive, whose files are read by themselves or as a folder", ""),
    (b"\x7fELF", "a program", ""),
    (b"\x04\x22\x4d\x18", "data packed by LZ4 (gzip and zstd can be read)", ""),
    (b"\xff\x06\x00\x00sNaPpY", "data packed by Snappy (gzip and zstd can be read)", ""),
    (b"\x80\x02", "a Python pickle, and opening it would run the code in it", ""),
    (b"\x80\x03", "a Python pickle, and opening it would run the code in it", ""),
    (b"\x80\x04", "a Python pickle, and opening it would run the code in it", ""),
    (b"\x80\x05", "a Python pickle, and opening it would run the code in it", ""),
)
# The position of a tar archive's mark, after the name of its first file.
_TAR_AT: Final = 257
_MARKUP: Final = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<svg", "an SVG image"), (b"<?xml", "XML"))
_UNKNOWN: Final = ("binary data of an unknown kind", "")
_CONTROLS: Final = bytes({*range(32), 127} - {0, 8, 9, 10, 12, 13, 27, 30, 31, 1})


def head_of(path: Path) -> bytes:
    """Returns a file's first 64 kB."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def packing_of(head: bytes) -> str:
    """Returns how a file is packed: gzip, zstd, bzip2, xz or zip; "" if it is not."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return next((name for magic, name in PACKINGS.items() if head.startswith(magic)), "")


def kind_of(head: bytes, path: Path, *, is_text: bool = False) -> Kind:
    """Returns the format of an unpacked file.

    Args:
        head: its first bytes.
        path: the file.
        is_text: whether bytes of an unknown format are text, because a person specified an encoding.

    Raises:
        ValueError: it is not a table; the text says what it is.
    """
    for magic, kind in _COLUMNAR.items():
        if head.startswith(magic):
            return kind
    other = _other(head, path.stat().st_size)
    if other and not (is_text and other == _UNKNOWN):
        raise no_table(path.name, *other)
    text = head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00\x1e \t\r\n")
    return "json" if text[:1] in {b"{", b"["} else "text"


def named(content: bytes) -> str:
    """Describes content, whether it is a table or not."""
    packing = packing_of(content)
    if packing:
        return f"data packed by {packing}"
    for magic, kind in _COLUMNAR.items():
        if content.startswith(magic):
            return NAMES[kind]
    other = _other(content[:HEAD_BYTES], len(content))
    if other:
        return other[0]
    return NAMES["json" if content.lstrip()[:1] in {b"{", b"["} else "text"]


def _other(head: bytes, size: int) -> tuple[str, str] | None:
    for magic, name, shown_by in _OTHERS:
        if head[_TAR_AT:].startswith(magic) if magic == b"ustar" else head.startswith(magic):
            return name, shown_by
    if begins_record(head[:12], size):
        return "a file of TensorFlow records", "Data statistics computed by TFDV, or Learning curves"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    for start, name in _MARKUP:
        if text.startswith(start):
            return name, "HTML" if name == "HTML" else ""
    if text.startswith(b"{") and b'"nbformat"' in head and b'"cells"' in head:
        return "a Jupyter notebook", "Notebook"
    if not wide_encoding(head) and _is_binary(head):
        return _UNKNOWN
    return None


def _is_binary(head: bytes) -> bool:
    odd = len(head) - len(head.translate(None, _CONTROLS))
    return odd > 0 and (odd > len(head) * 0.02 or head.count(0) > len(head) * 0.05)


def no_table(name: str, what: str, shown_by: str = "") -> ValueError:
    """Returns the error for a file that is not a table: what it is, and which type shows it."""
    hint = f" The type {shown_by} shows such files." if shown_by else ""
    return ValueError(f"{name} is {what}; it cannot be read as a table ({TABLES}).{hint}")


def damaged(name: str, what: str) -> ValueError:
    """Returns the error for a file that contradicts its first bytes."""
    return ValueError(f"{name} begins as {what} and is damaged or cut off, so it cannot be read as a table.")
