"""Terminal output as plain text, without colours and cursor movements."""

from __future__ import annotations

import re
from typing import Final

# Each alternative is linear: no part of it can match what the next one repeats.
_SEQUENCES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-Z\\-~]?"  # colours, cursor
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?"  # strings for the terminal itself
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Returns text without escape sequences and control characters; tabs and line ends stay.

    Only the last state of an overwritten line (a progress bar) is kept.
    """
    cleaned = _CONTROLS.sub("", _SEQUENCES.sub("", text.replace("\r\n", "\n")))
    if "\r" not in cleaned:
        return cleaned
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in cleaned.split("\n"))
