"""What a state of a run, a step or a render needs to be drawn: an icon, a colour and a word."""

from __future__ import annotations

import enum
from typing import Protocol, Self, runtime_checkable

from django.db import models


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


class ShownChoices(models.TextChoices):
    """States in a column of the database: each is a row of value, icon, tone and label.

    Attributes:
        icon: an icon of the vendored set.
    """

    icon: str
    tone: Tone

    def __new__(cls, value: str, icon: str, tone: Tone) -> Self:
        """Makes a state of its row; Django takes the last column, the label."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.icon, state.tone = icon, tone
        return state

    @classmethod
    def by_value(cls, value: str) -> Self:
        """Returns the state of that value.

        Raises:
            KeyError: there is none.
        """
        return {state.value: state for state in cls}[value]
