"""What a state of a run, a step or a render needs to be drawn: an icon, a colour and a word."""

from __future__ import annotations

import enum
from typing import Protocol, runtime_checkable


class Tone(enum.StrEnum):
    """The colour of a state: the CSS class `tone-<value>`."""

    OK = "ok"
    BAD = "bad"
    BUSY = "busy"
    WARN = "warn"
    IDLE = "idle"


@runtime_checkable
class ShownState(Protocol):
    """A state of a run, a step or a render, as pages draw it."""

    value: str
    icon: str
    tone: Tone

    @property
    def label(self) -> str:
        """The word that people read."""
