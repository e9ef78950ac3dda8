"""Cuts names to the width of a box; the box's title keeps the whole name."""

from __future__ import annotations

import unicodedata
from typing import Final

# Bold DejaVu Sans at 13 px, the widest of the usual system fonts.
_NARROW: Final = dict.fromkeys("iljI.,:;|!'` ", 5.2) | dict.fromkeys("tfr()[]{}-_/\\", 6.6)
_BROAD: Final = dict.fromkeys("mwMW@%", 14.4) | dict.fromkeys("&<>=+~^#", 11.4)
_WIDTHS: Final = _NARROW | _BROAD
_MOST_READ: Final = 200


def fit(text: str, width: float) -> str:
    """Returns as much of a text as fits, at the font size of names in the graph.

    Args:
        text: any; line breaks and control characters become spaces.
        width: the available width in SVG units. Uses the letter widths of the widest usual font.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_READ])
    if sum(map(_width, plain)) <= width and len(text) <= _MOST_READ:
        return plain
    room, kept = width - _width("m"), []
    for letter in plain:
        room -= _width(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def _width(letter: str) -> float:
    known = _WIDTHS.get(letter)
    if known is not None:
        return known
    if letter.isascii():
        return 10.4 if letter.isupper() else 9.1
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Cf", "Mn"}:
        return 0.0
    if unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF:
        return 18.0
    return 10.4
