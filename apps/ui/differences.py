"""Differences between two versions of a text, for display."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

_CLASSES: Final = {"+": "line-added", "-": "line-removed", "@": "line-place"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a unified diff; `css` is "" for an unchanged line."""

    text: str
    css: str


def diff_lines(before: str, after: str) -> list[DiffLine]:
    """Returns the unified diff of two texts without its file header; [] if they are the same."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=5))[2:]
    return [DiffLine(line, _CLASSES.get(line[:1], "")) for line in lines]
