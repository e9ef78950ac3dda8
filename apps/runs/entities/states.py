"""All states of runs and steps, in one table, and the kinds of steps."""

from __future__ import annotations

import enum
from typing import Final, Self

from apps.ui.states import Tone


class Phase(enum.StrEnum):
    """The meaning of a state, for code that need not distinguish all states."""

    ACTIVE = "active"
    SUCCESSFUL = "successful"
    UNSUCCESSFUL = "unsuccessful"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether a state of this phase can no longer change."""
        return self in {Phase.SUCCESSFUL, Phase.UNSUCCESSFUL}


class State(enum.StrEnum):
    """The state of a run or a step, with one row per state.

    Attributes:
        label: the word for people.
        icon: an icon of the vendored set.
        severity: the smallest number is the worst; no two states share one.
        api_values: the words of Kubeflow's REST API, for runs; empty for states that only steps have. The run list can
            be filtered by states that have such a word.
    """

    label: str
    icon: str
    tone: Tone
    severity: int
    phase: Phase
    api_values: tuple[str, ...]

    def __new__(
        cls, value: str, label: str, icon: str, tone: Tone, severity: int, phase: Phase, api_values: tuple[str, ...]
    ) -> Self:
        """Creates a state from its row."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.label, state.icon, state.tone = label, icon, tone
        state.severity, state.phase, state.api_values = severity, phase, api_values
        return state

    PENDING = "pending", "Pending", "clock", Tone.WARN, 40, Phase.ACTIVE, ("PENDING", "PAUSED")
    RUNNING = "running", "Running", "loader-circle", Tone.BUSY, 30, Phase.ACTIVE, ("RUNNING", "CANCELING")
    SUCCEEDED = "succeeded", "Succeeded", "circle-check", Tone.OK, 60, Phase.SUCCESSFUL, ("SUCCEEDED",)
    FAILED = "failed", "Failed", "circle-x", Tone.BAD, 10, Phase.UNSUCCESSFUL, ("FAILED",)
    CANCELLED = "cancelled", "Cancelled", "ban", Tone.IDLE, 20, Phase.UNSUCCESSFUL, ("CANCELED",)
    SKIPPED = "skipped", "Skipped", "skip-forward", Tone.IDLE, 80, Phase.SUCCESSFUL, ("SKIPPED",)
    CACHED = "cached", "Cached", "database", Tone.OK, 70, Phase.SUCCESSFUL, ()
    UNKNOWN = "unknown", "Unknown", "circle-help", Tone.IDLE, 50, Phase.UNKNOWN, ()

    @classmethod
    def by_value(cls, value: str) -> State | None:
        """Returns the state with that value; None if there is none."""
        return next((state for state in cls if state.value == value), None)

    @classmethod
    def by_api_value(cls, value: str) -> State:
        """Returns the state for a word of Kubeflow's REST API; UNKNOWN for an unknown word."""
        return next((state for state in cls if value.upper() in state.api_values), cls.UNKNOWN)

    @property
    def is_final(self) -> bool:
        """Whether the state can no longer change."""
        return self.phase.is_final

    @property
    def is_active(self) -> bool:
        """Whether Kubeflow is still working on it; False if the state is unknown."""
        return self.phase is Phase.ACTIVE

    @property
    def is_selectable(self) -> bool:
        """Whether the run list offers a filter for this state."""
        return bool(self.api_values)


WORST_FIRST: Final = tuple(sorted(State, key=lambda state: state.severity))


class StepKind(enum.StrEnum):
    """The kind of a step: it does work of its own, or it is a frame around other steps."""

    CONTAINER = "container"
    IMPORTER = "importer"
    DAG = "dag"
    LOOP = "loop"
    ITERATION = "iteration"
    CONDITION = "condition"
    EXIT_HANDLER = "exit_handler"

    @property
    def is_frame(self) -> bool:
        """Whether it is a frame around other steps."""
        return self not in {StepKind.CONTAINER, StepKind.IMPORTER}
