"""Combines a run's executions and its spec into the tree of steps, including those that never started."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from apps.runs.entities import Attempt, Run, State, Step, StepKind
from apps.runs.gateway import spec as specs
from apps.runs.gateway.frame_states import with_frame_states
from apps.runs.gateway.lineage import Execution, parse_object
from apps.runs.gateway.task_matching import IMPORTERS, match_tasks

_STATES: Final = {
    "NEW": State.PENDING,
    "RUNNING": State.RUNNING,
    "COMPLETE": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "CACHED": State.CACHED,
    "CANCELED": State.SKIPPED,  # the driver writes it if a condition was false
}
# Types of the task API that are more specific than an execution's type.
_KINDS: Final = {
    "LOOP": StepKind.LOOP,
    "CONDITION": StepKind.CONDITION,
    "CONDITION_BRANCH": StepKind.CONDITION,
    "EXIT_HANDLER": StepKind.EXIT_HANDLER,
}
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_DEEPEST: Final = 30
_NOBODY: Final = 0


def build_steps(run: Run, executions: Sequence[Execution]) -> tuple[Step, ...]:
    """Returns the steps of a run, parents before children.

    A step's id is its path of task names and iteration numbers (`for-loop-1.0.train`), so that it stays the same from
    waiting to done, across retries, and in a clone of the run.

    Args:
        run: with its spec, if that is known; without it, only started steps are found.
        executions: the run's executions; may be empty.
    """
    family = _Family(executions)
    tree = _Tree(run=run, children=family.children)
    inputs = {
        name: value for row in family.root_rows for name, value in parse_object(row.properties.get("inputs")).items()
    }
    tree.walk(
        _Place(executions=family.roots, component=specs.root_component(run.spec), inputs={**run.parameters, **inputs})
    )
    return with_frame_states(tree.steps, run.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A position of the walk: the enclosing executions (several after a retry), step and component."""

    executions: Sequence[int]
    component: Mapping[str, Any]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    step_id: str | None = None
    is_skipped: bool = False
    depth: int = 0

    def child_id(self, part: str) -> str:
        own = _UNSAFE.sub("_", part)
        return f"{self.step_id}.{own}" if self.step_id else own


@dataclass(slots=True, kw_only=True)
class _Tree:
    run: Run
    children: Mapping[int, list[Execution]]
    steps: list[Step] = field(default_factory=list)

    def walk(self, place: _Place) -> None:
        """Adds every step of one graph, in the spec's order; executions that the spec does not name come last."""
        if place.depth > _DEEPEST:
            return
        tasks = specs.tasks(self.run.spec, place.component)
        rows = [row for parent in place.executions for row in self.children.get(parent, ())]
        started, others = match_tasks(tasks, rows, place.inputs)
        for task in tasks:
            self._add(place, task, started.get(task.name, []))
        for name, own in others.items():
            if name:
                self._add(place, _unknown_task(name, own[-1]), own)

    def _add(self, place: _Place, task: specs.Task, rows: list[Execution]) -> None:
        rows = sorted(rows, key=lambda row: row.id)
        newest = rows[-1] if rows else None
        step = replace(self._step(place, task, newest), attempts=self._attempts(rows, task))
        self.steps.append(step)
        if not task.kind.is_frame:
            return
        inside = _Place(
            executions=[newest.id] if newest else [],
            component=task.component,
            inputs=step.inputs,
            step_id=step.id,
            is_skipped=step.state is State.SKIPPED or step.is_empty_loop,
            depth=place.depth + 1,
        )
        iterations = self._iterations(newest) if task.kind is StepKind.LOOP else {}
        if not iterations:
            self.walk(inside)
        for index, row in sorted(iterations.items()):
            self._add_iteration(inside, task, index, row)

    def _attempts(self, rows: Sequence[Execution], task: specs.Task) -> tuple[Attempt, ...]:
        """Returns the attempts of a step that was tried more than once; a frame is reopened rather than tried again."""
        if len(rows) < 2 or task.kind.is_frame:
            return ()
        return tuple(self._attempt(row, is_newest=row is rows[-1]) for row in rows)

    def _attempt(self, row: Execution, *, is_newest: bool) -> Attempt:
        state = _state(row, self.run.state)
        # Nothing records the end of an attempt that was cut off, but a later attempt followed it.
        state = state if state.is_final or is_newest else State.FAILED
        return Attempt(
            id=str(row.id),
            state=state,
            started_at=row.created_at,
            finished_at=row.updated_at if state.is_final else None,
            pod_name=_text(row, "pod_name"),
            error=row.error,
        )

    def _iterations(self, loop: Execution | None) -> dict[int, Execution]:
        found: dict[int, Execution] = {}
        for row in sorted(self.children.get(loop.id, ()) if loop else (), key=lambda row: row.id):
            index = row.whole_number("iteration_index")
            if index is not None:
                found[index] = row
        return found

    def _add_iteration(self, place: _Place, task: specs.Task, index: int, row: Execution) -> None:
        step = replace(
            self._step(place, task, row),
            id=place.child_id(str(index)),
            name=f"{task.display_name} #{index + 1}",
            kind=StepKind.ITERATION,
            iteration_index=index,
            iteration_count=None,
            depends_on=(),
        )
        self.steps.append(step)
        self.walk(replace(place, executions=[row.id], inputs=step.inputs, step_id=step.id, depth=place.depth + 1))

    def _step(self, place: _Place, task: specs.Task, row: Execution | None) -> Step:
        waiting = Step(
            id=place.child_id(task.name),
            name=task.display_name,
            task_name=task.name,
            state=_never_started(self.run.state, is_skipped=place.is_skipped),
            kind=task.kind,
            parent_id=place.step_id,
            depends_on=task.depends_on,
            image=task.image,
            condition=task.condition,
        )
        return waiting if row is None else _started(waiting, row, self.run.state)


def _never_started(run_state: State, *, is_skipped: bool) -> State:
    return State.SKIPPED if is_skipped or run_state.is_final else State.PENDING


def _started(step: Step, row: Execution, run_state: State) -> Step:
    state = _STATES.get(row.state, State.UNKNOWN) if step.kind.is_frame else _state(row, run_state)
    return replace(
        step,
        state=state,
        inputs=parse_object(row.properties.get("inputs")),
        outputs=parse_object(row.properties.get("outputs")),
        artifacts=row.artifacts,
        started_at=row.created_at,
        finished_at=row.updated_at if state.is_final else None,
        iteration_count=row.whole_number("iteration_count"),
        pod_name=_text(row, "pod_name"),
        image=_text(row, "image") or step.image,
        cached_run_id=row.cached_run_id,
        error=row.error,
    )


def _state(row: Execution, run_state: State) -> State:
    """Returns the state of a step other than a frame."""
    state = _STATES.get(row.state, State.UNKNOWN)
    if state.is_final or not run_state.is_final:
        return state
    # Nothing records the end of a step that a termination or a crash cut off.
    return State.CANCELLED if run_state is State.CANCELLED else State.FAILED


def _text(row: Execution, name: str) -> str:
    value = row.properties.get(name)
    return value if isinstance(value, str) else ""


def _unknown_task(name: str, row: Execution) -> specs.Task:
    display_name = str(row.properties.get("display_name") or name)
    return specs.Task(
        name=name,
        display_name=display_name,
        kind=_kind_of(row),
        component={},
        depends_on=tuple(row.properties.get("producers", ())),
    )


def _kind_of(row: Execution) -> StepKind:
    """Returns a step's kind from its execution alone; ML Metadata has no conditions and exit handlers."""
    kind = _KINDS.get(str(row.properties.get("task_type", "")))
    if kind is not None:
        return kind
    if row.type == "system.DAGExecution":
        return StepKind.DAG if row.whole_number("iteration_count") is None else StepKind.LOOP
    return StepKind.IMPORTER if row.type in IMPORTERS else StepKind.CONTAINER


class _Family:
    """The parent-child relation of executions. Executions with a missing parent, or in a cycle, are placed at the top.

    Attributes:
        children: the executions below each one, by its id.
        root_rows: the run's own executions.
        roots: their ids; 0 is a fictitious root for executions without a known parent.
    """

    def __init__(self, executions: Sequence[Execution]) -> None:
        known = {row.id for row in executions}
        self.children: dict[int, list[Execution]] = defaultdict(list)
        for row in executions:
            if row.parent_id is not None:
                self.children[row.parent_id if row.parent_id in known else _NOBODY].append(row)
        self.root_rows = [row for row in executions if row.parent_id is None]
        self.roots = [row.id for row in self.root_rows]
        self.children[_NOBODY] += self._circling(executions)
        if self.children[_NOBODY]:
            self.roots = [*self.roots, _NOBODY]

    def _circling(self, executions: Sequence[Execution]) -> list[Execution]:
        """Returns the executions that cannot be reached from a root."""
        reached: set[int] = set()
        waiting = [*self.roots, _NOBODY]
        while waiting:
            parent = waiting.pop()
            if parent not in reached:
                reached.add(parent)
                waiting.extend(row.id for row in self.children.get(parent, ()))
        lost = [row for row in executions if row.id not in reached]
        for row in lost:
            # Keeping them would make the walk loop forever.
            self.children.pop(row.id, None)
        return lost
