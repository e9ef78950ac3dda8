"""Cuts names to the room a box has; the whole name stays in its title."""

from __future__ import annotations

import unicodedata
from typing import Final

_NARROW: Final = frozenset("iljtfrI.,:;|!'`()[]-_ /\\1")
_BROAD: Final = frozenset("mwMW@%&")
_MOST_READ: Final = 200


def fit(text: str, width: float) -> str:
    """Returns as much of a text as fits, at the size names have in the graph.

    Args:
        text: any; line breaks and control characters become spaces.
        width: the room in SVG units. No font is asked: widths are those of usual sans-serif letters.
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
    if letter in _NARROW:
        return 4.8
    if letter in _BROAD:
        return 12.5
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Cf", "Mn"}:
        return 0.0
    if unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF:
        return 18.0
    return 9.2 if letter.isupper() else 7.7
