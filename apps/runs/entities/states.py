"""States of runs and steps, and kinds of steps."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """The state of a run or a step."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    CACHED = "cached"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the state can no longer change."""
        return self not in {State.PENDING, State.RUNNING, State.UNKNOWN}


class StepKind(enum.StrEnum):
    """What a step is: work of its own, or a frame around other steps."""

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
