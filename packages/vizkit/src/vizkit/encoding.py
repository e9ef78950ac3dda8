"""Detects how a text file is written, its encoding, line ends and quotes, in one pass over its bytes.

Standard library only: the portal's previews detect encodings in the same way as the types.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK: Final = 4 * 1024**2
# UTF-32's mark begins with UTF-16's.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES: Final = {
    "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Survey:
    """Facts about a text file's bytes.

    Attributes:
        encoding: its name in Python.
        quotes, nulls: the numbers of quotation marks and NULs.
        returns: the number of carriage returns without a following line feed.
        has_blank: whether there is an empty line.
        is_cut: whether the file ends within a character.
        is_told: whether a person specified the encoding.
    """

    encoding: str = "utf-8"
    quotes: int = 0
    nulls: int = 0
    returns: int = 0
    has_blank: bool = False
    is_cut: bool = False
    is_told: bool = False

    @property
    def note(self) -> str:
        """A note about the encoding; "" for UTF-8, and if a person specified it."""
        name = "" if self.is_told else NAMES.get(self.encoding, "")
        return f"Read as {name}, since the file is not UTF-8." if name else ""


def survey(path: Path, head: bytes, told: str = "") -> Survey:
    """Detects how a text file is written; UTF-16 and UTF-32 are detected by the first bytes alone.

    Args:
        path: the file.
        head: its first bytes.
        told: the encoding that a person specified, by a name that Python knows; "" to detect it.

    Raises:
        ValueError: the encoding is unknown, or the file contains bytes that are invalid in it.
    """
    encoding = _known(told) if told else wide_encoding(head)
    if told:
        _check(path, encoding, told)
    if encoding.startswith(("utf-16", "utf-32")):
        return Survey(encoding=encoding, is_told=bool(told))
    found = _count(path)
    if told and encoding != "utf-8":
        found.encoding, found.is_told, found.is_cut = encoding, True, False
    elif found.encoding == "utf-8" and head.startswith(codecs.BOM_UTF8):
        found.encoding = "utf-8-sig"
    return found


def _count(path: Path) -> Survey:
    """Returns the facts from one pass; the encoding is the first possible of UTF-8, Windows-1252 and Latin-1."""
    found = Survey()
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252, last = True, True, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.quotes += chunk.count(b'"')
            found.nulls += chunk.count(b"\0")
            found.returns += chunk.count(b"\r") - chunk.count(b"\r\n") - (last[-1:] + chunk[:1] == b"\r\n")
            seam = last + chunk[:2]
            found.has_blank |= any(each in part for each in (b"\n\n", b"\n\r\n", b"\r\r") for part in (chunk, seam))
            last = chunk[-2:]
            if is_utf8 and not (chunk.isascii() and decoder.getstate()[0] == b""):
                is_utf8 = _decodes(decoder, chunk)
            is_cp1252 = is_cp1252 and not any(byte in chunk for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))
    found.is_cut = is_utf8 and decoder.getstate()[0] != b""
    if not is_utf8:
        found.encoding = "cp1252" if is_cp1252 else "latin-1"
    return found


def _known(told: str) -> str:
    """Returns Python's own name of an encoding."""
    try:
        name = codecs.lookup(told).name
        # Both fail if the codec is not for text.
        " ".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):
        raise ValueError(
            f"There is no encoding {told!r}. Use a name that Python knows, such as cp1251, shift_jis or gb18030."
        ) from None
    return name


def _check(path: Path, encoding: str, told: str) -> None:
    decoder, done = codecs.getincrementaldecoder(encoding)(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                kept = len(decoder.getstate()[0])
                decoder.decode(chunk)
                done += len(chunk)
        kept = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        at = done - kept + getattr(error, "start", 0) + 1
        raise ValueError(
            f"{path.name} cannot be read as {told}: byte {at:,} is not valid in that encoding. Leave the encoding "
            "empty to have it detected."
        ) from None


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def wide_encoding(head: bytes) -> str:
    """Returns UTF-16 or UTF-32, detected by its mark or by the zero bytes between the characters; "" for neither."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if marked:
        return "" if marked == "utf-8-sig" else marked
    return next((name for name, place in (("utf-16-le", 1), ("utf-16-be", 0)) if _is_wide(head, name, place)), "")


def _is_wide(head: bytes, name: str, place: int) -> bool:
    """Whether text has zero bytes at every other position, or at some if few of its characters are Latin."""
    start = head[: len(head) // 2 * 2][:4096]
    noughts, others = start[place::2].count(0), start[1 - place :: 2].count(0)
    if len(start) < 4 or noughts < len(start) * 0.02 or others * 20 > noughts:
        return False
    text = start.decode(name, "ignore")
    return noughts > len(start) * 0.35 or "\n" in text or "\r" in text


def text_of(path: Path) -> tuple[str, str]:
    """Returns a whole file as text, and the note about its encoding."""
    content = path.read_bytes()
    encoding = wide_encoding(content[:400]) or "utf-8-sig"
    try:
        return content.decode(encoding), Survey(encoding=encoding).note
    except UnicodeDecodeError:
        encoding = "latin-1" if any(byte in content for byte in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
        return content.decode(encoding), Survey(encoding=encoding).note
