"""A one-sentence summary of a graph, also for screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from apps.runs.entities import Step, StepKind
from apps.runs.entities.states import WORST_FIRST

COMPOUND: Final = frozenset(
    {StepKind.DAG, StepKind.LOOP, StepKind.ITERATION, StepKind.CONDITION, StepKind.EXIT_HANDLER}
)
"""Kinds that only contain steps; an exit handler without any counts as an ordinary step."""


def working(steps: Sequence[Step]) -> list[Step]:
    """Returns the steps that do work of their own: those that are not drawn as frames around others."""
    holders = {step.parent_id for step in steps}
    return [step for step in steps if step.id not in holders and (step.kind not in COMPOUND or _is_alone(step))]


def _is_alone(step: Step) -> bool:
    return step.kind is StepKind.EXIT_HANDLER


def summarize(steps: Sequence[Step], *, is_plan: bool = False) -> str:
    """Returns "12 steps: 1 failed, 10 succeeded, 1 skipped"; for a plan, the number of steps and frames."""
    found = working(steps)
    frames = len(steps) - len(found)
    held = f" in {frames} frame{'s' if frames != 1 else ''}" if frames else ""
    count = f"{len(found)} step{'s' if len(found) != 1 else ''}"
    if is_plan:
        return count + held
    return f"{count}: {counted(found)}" if found else count


def counted(steps: Sequence[Step]) -> str:
    """Returns "1 failed, 10 succeeded", the worst first."""
    by_state = Counter(step.state for step in steps)
    return ", ".join(f"{by_state[state]} {state.label.lower()}" for state in WORST_FIRST if by_state[state])
