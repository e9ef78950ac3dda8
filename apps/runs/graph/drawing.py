"""Lays out the steps of a run as a drawing: the boxes, their sizes, and their positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from apps.runs import layout
from apps.runs.entities import Step
from apps.runs.graph import carried, summary
from apps.runs.graph.carried import Carried
from apps.runs.graph.labels import fit
from apps.runs.graph.shapes import BUTTON, Box, Choice, Drawing, Line, Pill
from apps.runs.graph.tree import Inside, Tree
from apps.runs.graph.view_state import GraphViewState

BOX: Final = (232.0, 48.0)
PILL: Final = (184.0, 28.0)
_PAD: Final = 14.0
_HEAD: Final = 34.0
_MARGIN: Final = 12.0
_CHOOSER: Final = 104.0
_LEAST_NAME: Final = 150.0
_DEEPEST: Final = 60


def draw(
    steps: Sequence[Step], look: GraphViewState | None = None, *, selected_id: str = "", view: str = ""
) -> Drawing:
    """Lays out the steps of a run.

    Args:
        steps: all of them.
        look: which frames are open; None lets the graph's size decide.
        selected_id: the selected step, whose frames are open.
        view: the view for the URLs of buttons.
    """
    look = look or GraphViewState()
    tree = Tree(steps, look, selected_id=selected_id)
    painter = _Painter(tree, view)
    drawing = painter.level("", tree.top, 0)
    moved = _moved(drawing, _MARGIN, _MARGIN)
    size = (drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN) if drawing.boxes else (0.0, 0.0)
    return replace(moved, width=size[0], height=size[1], is_cut=tree.is_cut)


class _Painter:
    def __init__(self, tree: Tree, view: str) -> None:
        self.tree = tree
        self.view = view
        self.carried = carried.by_level(tree) if tree.look.has_artifacts else {}
        self.edges = _edges(tree)

    def level(self, frame_id: str, steps: Iterable[Step], depth: int) -> Drawing:
        """Draws the steps of one frame and their contents; the frame "" is the graph itself."""
        steps = list(steps)
        inner = {step.id: self._inner(step, depth) for step in steps}
        boxes = [self._box(step, inner[step.id], depth) for step in steps]
        pills = self.carried.get(frame_id, [])
        sizes = {box.step.id: (box.width, box.height) for box in boxes} | {each.key: PILL for each in pills}
        placed = layout.place(sizes, self._level_edges(frame_id, pills))
        found = Drawing(
            boxes=(),
            lines=tuple(Line(source=a, target=b, points=points) for (a, b), points in placed.lines.items()),
            width=placed.width,
            height=placed.height,
            pills=tuple(_pill(each, placed.corners[each.key]) for each in pills),
        )
        return _filled(found, boxes, inner, placed)

    def _level_edges(self, frame_id: str, pills: Sequence[Carried]) -> set[tuple[str, str]]:
        joined = {(each.source, target) for each in pills for target in each.targets}
        edges = self.edges.get(frame_id, set()) - joined
        edges |= {(each.source, each.key) for each in pills}
        return edges | {(each.key, target) for each in pills for target in each.targets}

    def _inner(self, step: Step, depth: int) -> Drawing | None:
        if step.id not in self.tree.opened or depth >= _DEEPEST:
            return None
        steps = self.tree.inside(step).steps
        return self.level(step.id, steps, depth + 1) if steps else None

    def _box(self, step: Step, inside: Drawing | None, depth: int) -> Box:
        shown = self.tree.inside(step)
        choice_room = _CHOOSER if inside and len(shown.iterations) > 1 else 0.0
        width, height = _size(inside, choice_room)
        held = summary.working(self.tree.below(step)) if shown.steps else []
        room = width - (36 if inside else 48) - (BUTTON + 4 if shown.steps else 0) - choice_room
        return Box(
            step=step,
            x=0,
            y=0,
            width=width,
            height=height,
            label=fit(step.name, room),
            is_frame=inside is not None,
            depth=depth,
            holds=len(held),
            held=summary.counted(held),
            toggle=self._toggle(step) if shown.steps else "",
            choice=self._choice(step, shown, width) if choice_room else None,
        )

    def _toggle(self, step: Step) -> str:
        tree = self.tree
        look = tree.look.toggled(step.id, is_open=step.id in tree.opened, opens_itself=step.id in tree.opens_itself)
        return look.query(view=self.view) or "view=graph"

    def _choice(self, loop: Step, shown: Inside, width: float) -> Choice | None:
        if shown.chosen is None:
            return None
        place = shown.iterations.index(shown.chosen)
        options = tuple((self._at(loop, step), step) for step in shown.iterations)
        return Choice(
            step=shown.chosen,
            x=round(width - BUTTON - 4 - _CHOOSER, 1),
            place=place + 1,
            before=options[place - 1][0] if place else "",
            after=options[place + 1][0] if place + 1 < len(options) else "",
            options=options,
        )

    def _at(self, loop: Step, iteration: Step) -> str:
        return self.tree.look.at(loop.id, iteration.iteration_index or 0).query(view=self.view)


def _edges(tree: Tree) -> dict[str, set[tuple[str, str]]]:
    """Returns the dependencies between visible boxes, by the id of the frame that contains both.

    `depends_on` names siblings. If no sibling has such a name (in 1.x runs a step may wait for one inside a frame), the
    line connects the two sibling frames.
    """
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    anywhere: dict[str, list[str]] = defaultdict(list)
    for step in tree.by_id.values():
        if not tree.is_iteration(step):
            named[step.parent_id or "", step.task_name].append(step.id)
            anywhere[step.task_name].append(step.id)
    edges: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for step in tree.by_id.values():
        for name in () if tree.is_iteration(step) else step.depends_on:
            for source_id in named.get((step.parent_id or "", name)) or anywhere.get(name, ())[:1]:
                level, source, target = tree.beside(source_id, step.id)
                if source and target and source != target:
                    edges[level].add((source, target))
    return edges


def _filled(
    frame: Drawing, boxes: Sequence[Box], inner: dict[str, Drawing | None], placed: layout.Placement
) -> Drawing:
    """Returns one level's drawing with its boxes and their contents, each at its place."""
    everything: list[Box] = []
    lines, pills = list(frame.lines), list(frame.pills)
    for box in boxes:
        x, y = placed.corners[box.step.id]
        everything.append(replace(box, x=x, y=y))
        inside = inner[box.step.id]
        if inside is not None:
            left = x + (box.width - inside.width) / 2
            moved = _moved(inside, left, y + _HEAD + _PAD / 2)
            everything.extend(moved.boxes)
            lines.extend(moved.lines)
            pills.extend(moved.pills)
    return replace(frame, boxes=tuple(everything), lines=tuple(lines), pills=tuple(pills))


def _size(inside: Drawing | None, choice_room: float) -> layout.Size:
    if inside is None:
        return BOX
    least = _LEAST_NAME + BUTTON + 40 + choice_room
    return round(max(least, inside.width + 2 * _PAD), 1), round(inside.height + _HEAD + 1.5 * _PAD, 1)


def _pill(each: Carried, corner: layout.Point) -> Pill:
    # Its letters are smaller and thinner than those that `fit` assumes.
    label = fit(each.artifact.name, 1.2 * (PILL[0] - 44))
    return Pill(carried=each, x=corner[0], y=corner[1], width=PILL[0], height=PILL[1], label=label)


def _moved(drawing: Drawing, dx: float, dy: float) -> Drawing:
    return replace(
        drawing,
        boxes=tuple(replace(box, x=round(box.x + dx, 1), y=round(box.y + dy, 1)) for box in drawing.boxes),
        pills=tuple(replace(pill, x=round(pill.x + dx, 1), y=round(pill.y + dy, 1)) for pill in drawing.pills),
        lines=tuple(replace(line, points=tuple((x + dx, y + dy) for x, y in line.points)) for line in drawing.lines),
    )
