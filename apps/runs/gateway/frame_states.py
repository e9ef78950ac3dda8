"""Derives the state and times of frames from their steps, because the lineage store leaves a DAG's state at RUNNING."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from apps.runs.entities import Phase, State, Step


def with_frame_states(steps: Sequence[Step], run_state: State) -> tuple[Step, ...]:
    """Returns the steps with the state and times of frames derived from the steps in them."""
    children: dict[str, list[Step]] = defaultdict(list)
    finished: list[Step] = []
    for step in reversed(steps):  # children come after their parents
        settled = _frame(step, children[step.id], run_state) if step.kind.is_frame else step
        finished.append(settled)
        if settled.parent_id is not None:
            children[settled.parent_id].append(settled)
    return tuple(reversed(finished))


def _frame(step: Step, inside: Sequence[Step], run_state: State) -> Step:
    states = [child.state for child in inside]
    is_empty = step.is_empty_loop and all(state is State.SKIPPED for state in states)
    state = State.SUCCEEDED if is_empty else _frame_state(step, states, run_state)
    started = [child.started_at for child in inside if child.started_at]
    ended = [child.finished_at for child in inside if child.finished_at]
    return replace(
        step,
        state=state,
        started_at=step.started_at or min(started, default=None),
        finished_at=_latest(ended, step.finished_at) if state.is_final else None,
    )


def _latest(ended: list[datetime], own: datetime | None) -> datetime | None:
    return max(ended, default=own)


def _frame_state(step: Step, inside: Sequence[State], run_state: State) -> State:
    if step.state in {State.SKIPPED, State.FAILED}:
        return step.state
    worst = min(inside, key=lambda state: state.severity, default=None)
    if worst is not None and worst.phase is Phase.UNSUCCESSFUL:
        return worst
    if worst is None or (step.state is State.SUCCEEDED and run_state.is_final):
        return _own_end(step.state, run_state)
    if all(state.phase is Phase.SUCCESSFUL for state in inside):
        return State.SKIPPED if all(state is State.SKIPPED for state in inside) else State.SUCCEEDED
    if step.state is State.PENDING and all(state is State.PENDING for state in inside):
        return State.PENDING
    return State.RUNNING


def _own_end(state: State, run_state: State) -> State:
    """Returns a frame's own state, or the run's if the run has ended and the frame has not.

    Such a frame has no steps (a loop over an empty list) or has succeeded.
    """
    return run_state if run_state.is_final and not state.is_final else state
