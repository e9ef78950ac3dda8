"""Decodes text in any encoding, and converts Markdown to harmless HTML."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

import nh3
from markdown_it import MarkdownIt
from vizkit.encoding import NAMES, wide_encoding

_LONGEST_CHARACTER: Final = 4
_LEAST_PRINTABLE: Final = 0.95
_MOST_FOREIGN: Final = 0.3
_CONTROLS: Final = frozenset(range(32)) - {8, 9, 10, 12, 13, 27} | {127}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Decoded text; `encoding` is "" for UTF-8, else its name for people."""

    value: str
    encoding: str = ""


def decode(head: bytes, *, is_text: bool = False) -> Text | None:
    """Decodes bytes; None if they are not text.

    Args:
        head: may be cut inside its last character.
        is_text: a name or a type says that it is text; then a single-byte encoding is assumed if nothing else fits.
    """
    encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else wide_encoding(head)
    if encoding:
        return _marked(head, encoding)
    if b"\x00" in head:
        return None
    try:
        return Text(value=head.decode("utf-8"))
    except UnicodeDecodeError as error:
        if error.start >= len(head) - _LONGEST_CHARACTER and error.reason == "unexpected end of data":
            return Text(value=head[: error.start].decode("utf-8"))
    return _single_byte(head, is_text=is_text)


def _marked(head: bytes, encoding: str) -> Text | None:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    if text and sum(_is_printable(character) for character in text) < len(text) * _LEAST_PRINTABLE:
        return None
    return Text(value=text, encoding=NAMES.get(encoding, ""))


def _is_printable(character: str) -> bool:
    return character.isprintable() or character in "\t\n\r\f"


def _single_byte(head: bytes, *, is_text: bool) -> Text | None:
    foreign = sum(byte >= 128 for byte in head) / len(head)
    if any(byte in _CONTROLS for byte in head) or (not is_text and foreign > _MOST_FOREIGN):
        return None
    try:
        return Text(value=head.decode("cp1252"), encoding=NAMES["cp1252"])
    except UnicodeDecodeError:
        return Text(value=head.decode("latin-1"), encoding=NAMES["latin-1"])


def markdown(text: str, *, first_heading: int = 5) -> str:
    """Returns Markdown as HTML without scripts, styles or content loaded from elsewhere.

    Args:
        text: the Markdown.
        first_heading: the level of a `#` heading; most pages have headings of their own down to the fourth level.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + first_heading - 1)}"
    rendered = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(rendered, tags=nh3.ALLOWED_TAGS - {"img"})


def decoded(body: bytes) -> str:
    """Decodes any bytes as text."""
    found = decode(body, is_text=True)
    return found.value if found else body.decode("utf-8", "replace")
