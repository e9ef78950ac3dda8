"""A run's or pipeline's graph as a drawing: boxes, frames around boxes, and lines; a template makes SVG of
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from apps.runs import layout
from apps.runs.entities import Run, State, Step, StepKind
from apps.runs.gateway import lineage_tree

BOX: Final = (196.0, 46.0)
MOST_STEPS: Final = 300
"""Above this a list is shown: a graph of that size is slow to draw and nobody can read it."""
MOST_ITERATIONS: Final = 6
_PAD: Final = 14.0
_HEAD: Final = 30.0
_MARGIN: Final = 12.0
_LONGEST_LABEL: Final = 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step in the drawing; a frame when others stand inside it.

    Attributes:
        label: the name, cut to fit.
        hidden: how many iterations of this loop are left out.
    """

    step: Step
    x: float
    y: float
    width: float
    height: float
    label: str
    is_frame: bool
    depth: int
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Boxes (frames before what stands in them) and the lines between them, in SVG units."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[layout.Point, ...], ...]
    width: float
    height: float

    @property
    def paths(self) -> list[str]:
        """The lines as SVG paths."""
        return [layout.smooth(line) for line in self.lines]


def draw(steps: Sequence[Step]) -> Drawing:
    """Lays out the steps of a run."""
    children: dict[str | None, list[Step]] = defaultdict(list)
    known = {step.id for step in steps}
    for step in steps:
        children[step.parent_id if step.parent_id in known else None].append(step)
    drawing = _draw_level(None, children, 0)
    return _moved(drawing, _MARGIN, _MARGIN, extra=2 * _MARGIN)


def spec_steps(spec: Mapping[str, Any]) -> tuple[Step, ...]:
    """Returns the steps of a spec that has not run, all of them waiting."""
    return lineage_tree.build_steps(Run(id="", name="", state=State.PENDING, spec=spec), ())


def _draw_level(parent_id: str | None, children: Mapping[str | None, list[Step]], depth: int) -> Drawing:
    steps = _shown(children.get(parent_id, []))
    inner = {step.id: _draw_level(step.id, children, depth + 1) for step in steps if children.get(step.id)}
    sizes = {step.id: _size(inner.get(step.id)) for step in steps}
    ids = {step.task_name: step.id for step in steps if step.kind is not StepKind.ITERATION}
    edges = [(ids[name], step.id) for step in steps for name in step.depends_on if name in ids]
    placed = layout.place(sizes, edges)
    boxes: list[Box] = []
    lines = list(placed.lines.values())
    for step in steps:
        x, y = placed.corners[step.id]
        boxes.append(_box(step, (x, y), sizes[step.id], depth, children.get(step.id, [])))
        if step.id in inner:
            inside = _moved(inner[step.id], x + _PAD, y + _HEAD + _PAD / 2)
            boxes.extend(inside.boxes)
            lines.extend(inside.lines)
    return Drawing(boxes=tuple(boxes), lines=tuple(lines), width=placed.width, height=placed.height)


def _shown(steps: list[Step]) -> list[Step]:
    """Leaves out iterations beyond the first few; failed ones come first, for they are what is looked for."""
    iterations = [step for step in steps if step.kind is StepKind.ITERATION]
    if len(iterations) <= MOST_ITERATIONS:
        return steps
    first = sorted(iterations, key=lambda step: (step.state is not State.FAILED, step.iteration_index or 0))
    kept = {step.id for step in first[:MOST_ITERATIONS]}
    return [step for step in steps if step.kind is not StepKind.ITERATION or step.id in kept]


def _size(inside: Drawing | None) -> layout.Size:
    if inside is None:
        return BOX
    return max(BOX[0], inside.width + 2 * _PAD), inside.height + _HEAD + 1.5 * _PAD


def _box(step: Step, corner: layout.Point, size: layout.Size, depth: int, inside: list[Step]) -> Box:
    room = _LONGEST_LABEL if not inside else max(14, int(size[0] / 7.5) - 8)
    label = step.name if len(step.name) <= room else step.name[: room - 1] + "…"
    return Box(
        step=step,
        x=corner[0],
        y=corner[1],
        width=size[0],
        height=size[1],
        label=label,
        is_frame=bool(inside),
        depth=depth,
        hidden=len(inside) - len(_shown(inside)),
    )


def _moved(drawing: Drawing, dx: float, dy: float, *, extra: float = 0) -> Drawing:
    return Drawing(
        boxes=tuple(replace(box, x=box.x + dx, y=box.y + dy) for box in drawing.boxes),
        lines=tuple(tuple((x + dx, y + dy) for x, y in line) for line in drawing.lines),
        width=drawing.width + extra,
        height=drawing.height + extra,
    )
