"""Which steps of a run are visible: open and closed frames, and the iteration that each loop shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.runs.entities import State, Step, StepKind
from apps.runs.graph.summary import COMPOUND
from apps.runs.graph.view_state import GraphViewState

MOST_STEPS: Final = 500
"""Larger graphs show the list first, because nobody can read them at a glance."""
MOST_OPEN: Final = 60
"""Up to this number of boxes, every frame is open; above it, only those with a failure or the selected step in them."""
MOST_DRAWN: Final = 1500
"""No frame opens beyond this number of boxes, whatever a URL asks for."""
_MOST_OPENED_UNASKED: Final = 150
_DEEPEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The contents of an open frame.

    Attributes:
        steps: the steps in it; for a loop those of one iteration.
        iterations: all of a loop's; empty for other frames, and for a loop that has not started.
        chosen: the iteration shown.
    """

    steps: tuple[Step, ...]
    iterations: tuple[Step, ...] = ()
    chosen: Step | None = None


class Tree:
    """The steps of one run under one look.

    Attributes:
        top: the steps outside any frame.
        opened: ids of the open frames.
        opens_itself: ids of the frames that would be open by default.
        is_cut: whether some frames stay closed because the drawing would be too large.
    """

    def __init__(self, steps: Sequence[Step], look: GraphViewState, *, selected_id: str = "") -> None:
        self.look = look
        self.by_id: Mapping[str, Step] = {step.id: step for step in steps}
        self.children: dict[str, list[Step]] = defaultdict(list)
        self.top = tuple(step for step in steps if step.parent_id not in self.by_id)
        for step in steps:
            if step.parent_id in self.by_id:
                self.children[str(step.parent_id)].append(step)
        self.chosen_path = self._path(selected_id)
        self.opened: set[str] = set()
        self.opens_itself: set[str] = set()
        self.is_cut = False
        self._inside: dict[str, Inside] = {}
        self._open_frames()

    def is_frame(self, step: Step) -> bool:
        """Whether this step contains others, or would if it had run."""
        return bool(self.children.get(step.id)) or (step.kind in COMPOUND and step.kind is not StepKind.EXIT_HANDLER)

    def inside(self, step: Step) -> Inside:
        """Returns the contents of this frame."""
        if step.id not in self._inside:
            self._inside[step.id] = self._look_inside(step)
        return self._inside[step.id]

    def below(self, step: Step, depth: int = 0) -> list[Step]:
        """Returns every step in this frame, at any depth and of all iterations."""
        found: list[Step] = []
        for child in self.children.get(step.id, ()) if depth < _DEEPEST else ():
            found.append(child)
            found.extend(self.below(child, depth + 1))
        return found

    def is_iteration(self, step: Step) -> bool:
        """Whether this is an iteration of a loop, which has no box of its own: its loop shows it."""
        return step.kind is StepKind.ITERATION and step.parent_id in self.by_id

    def chain(self, step_id: str) -> list[str]:
        """Returns the ids of the boxes that contain this step, from the outermost to its own.

        The list ends with the first closed frame. It is empty for a step of an iteration that is not shown.
        """
        chain: list[str] = []
        for part in self._path(step_id):
            step = self.by_id[part]
            parent = self.by_id.get(step.parent_id or "")
            if self.is_iteration(step):
                if parent is None or self.inside(parent).chosen is not step:
                    return []
                continue
            chain.append(step.id)
            if self.is_frame(step) and step.id not in self.opened:
                break
        return chain

    def visible(self, step_id: str) -> str | None:
        """Returns the id of the box that shows this step: its own, or that of the closed frame around it.

        None for a step of an iteration that is not shown.
        """
        chain = self.chain(step_id)
        return chain[-1] if chain else None

    def beside(self, source_id: str, target_id: str) -> tuple[str, str, str]:
        """Returns the frame in which two steps, or the frames around them, are siblings, and the ids of those two.

        The id of a step that is not shown is "".
        """
        one, other = self.chain(source_id), self.chain(target_id)
        for depth, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return one[depth - 1] if depth else "", left, right
        return "", "", ""

    def _path(self, step_id: str) -> list[str]:
        path: list[str] = []
        step = self.by_id.get(step_id)
        while step is not None and len(path) < _DEEPEST:
            path.append(step.id)
            step = self.by_id.get(step.parent_id or "")
        return path[::-1]

    def _look_inside(self, step: Step) -> Inside:
        below = self.children.get(step.id, [])
        iterations = tuple(child for child in below if child.kind is StepKind.ITERATION)
        if not iterations:
            return Inside(steps=tuple(below))
        chosen = self._choose(step.id, iterations)
        others = [child for child in below if child.kind is not StepKind.ITERATION]
        return Inside(steps=(*self.children.get(chosen.id, ()), *others), iterations=iterations, chosen=chosen)

    def _choose(self, loop_id: str, iterations: Sequence[Step]) -> Step:
        """Returns the requested iteration, else that of the chosen step, else the worst one."""
        asked = self.look.iterations.get(loop_id)
        for step in iterations:
            if asked is not None and step.iteration_index == asked:
                return step
        for step in iterations:
            if step.id in self.chosen_path:
                return step
        worst = min(iterations, key=lambda step: step.state.severity)
        return worst if worst.state.severity <= State.RUNNING.severity else iterations[0]

    def _size(self, steps: Sequence[Step], depth: int = 0) -> int:
        below = (self.inside(step).steps for step in steps) if depth < _DEEPEST else ()
        return len(steps) + sum(self._size(inner, depth + 1) for inner in below)

    def _open_frames(self) -> None:
        """Opens frames level by level, so that the deepest ones are cut off."""
        is_small = self._size(self.top) <= MOST_OPEN
        shown, waiting = len(self.top), [*self.top]
        for step in waiting:
            if not self.is_frame(step):
                continue
            inner = self.inside(step).steps
            if self._opens_itself(step, is_small=is_small, shown=shown + len(inner)):
                self.opens_itself.add(step.id)
            if not self._is_open(step):
                continue
            if shown + len(inner) > MOST_DRAWN:
                self.is_cut = True
                continue
            self.opened.add(step.id)
            shown += len(inner)
            waiting.extend(inner)

    def _opens_itself(self, step: Step, *, is_small: bool, shown: int) -> bool:
        if self.look.frames:
            return self.look.frames == "open"
        if is_small or step.id in self.chosen_path[:-1]:
            return True
        return step.state is State.FAILED and shown <= _MOST_OPENED_UNASKED

    def _is_open(self, step: Step) -> bool:
        if step.id in self.look.closed:
            return False
        return step.id in self.look.opened or step.id in self.opens_itself
