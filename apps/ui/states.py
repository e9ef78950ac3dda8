"""How states of runs, steps and renders are displayed: icon, colour and word."""

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
    """A state of a run, a step or a render, as pages display it."""

    value: str
    icon: str
    tone: Tone

    @property
    def label(self) -> str:
        """The word for people."""


class ShownChoices(models.TextChoices):
    """States in a database column: each is a row of value, icon, tone and label.

    Attributes:
        icon: name of an icon in the vendored set.
    """

    icon: str
    tone: Tone

    def __new__(cls, value: str, icon: str, tone: Tone) -> Self:
        """Creates a state from its table row; Django takes the last column, the label."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.icon, state.tone = icon, tone
        return state

    @classmethod
    def by_value(cls, value: str) -> Self:
        """Returns the state with this value.

        Raises:
            KeyError: there is none.
        """
        return {state.value: state for state in cls}[value]
