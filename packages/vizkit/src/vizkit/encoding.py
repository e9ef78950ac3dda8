"""What a text file is written in: characters, ends of lines, quotes. Found by one pass over its bytes.

Uses the standard library only: the portal's previews recognize encodings in the same way as the types do.
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
    """What a text file's bytes say.

    Attributes:
        encoding: its name in Python.
        quotes, nulls: how many quotation marks and NULs there are.
        returns: carriage returns without a line feed behind them.
        has_blank: whether there is an empty line.
        is_cut: whether the file ends within a character.
    """

    encoding: str = "utf-8"
    quotes: int = 0
    nulls: int = 0
    returns: int = 0
    has_blank: bool = False
    is_cut: bool = False

    @property
    def note(self) -> str:
        """What people are told of the encoding; "" for UTF-8."""
        name = NAMES.get(self.encoding, "")
        return f"Read as {name}, since the file is not UTF-8." if name else ""


def survey(path: Path, head: bytes) -> Survey:
    """Returns what a text file is written in; UTF-16 and UTF-32 are told by their first bytes alone."""
    wide = wide_encoding(head)
    if wide:
        return Survey(encoding=wide)
    found = Survey(encoding="utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")
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


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def wide_encoding(head: bytes) -> str:
    """Returns UTF-16 or UTF-32, by its mark or by the noughts between the characters; "" for neither."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if marked:
        return "" if marked == "utf-8-sig" else marked
    return next((name for name, place in (("utf-16-le", 1), ("utf-16-be", 0)) if _is_wide(head, name, place)), "")


def _is_wide(head: bytes, name: str, place: int) -> bool:
    """Whether text has noughts at every other place, or at some where few of its characters are Latin."""
    start = head[: len(head) // 2 * 2][:4096]
    noughts, others = start[place::2].count(0), start[1 - place :: 2].count(0)
    if len(start) < 4 or noughts < len(start) * 0.02 or others * 20 > noughts:
        return False
    text = start.decode(name, "ignore")
    return noughts > len(start) * 0.35 or "\n" in text or "\r" in text


def text_of(path: Path) -> tuple[str, str]:
    """Returns a whole file as text, and what people are told of its encoding."""
    content = path.read_bytes()
    encoding = wide_encoding(content[:400]) or "utf-8-sig"
    try:
        return content.decode(encoding), Survey(encoding=encoding).note
    except UnicodeDecodeError:
        encoding = "latin-1" if any(byte in content for byte in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
        return content.decode(encoding), Survey(encoding=encoding).note
