"""Template contexts of a graph and of a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils import timezone

from apps.runs.entities import Run, State, Step, StepKind
from apps.runs.graph.drawing import draw
from apps.runs.graph.shapes import Box, Drawing
from apps.runs.graph.summary import summarize
from apps.runs.graph.timeline import build_timeline
from apps.runs.graph.tree import MOST_DRAWN, MOST_STEPS
from apps.runs.graph.view_state import GraphViewState

_MOST_MENUS: Final = 8
_MOST_OPTIONS: Final = 100
KIND_ICONS: Final = {
    StepKind.CONTAINER: "box",
    StepKind.IMPORTER: "download",
    StepKind.DAG: "workflow",
    StepKind.LOOP: "repeat",
    StepKind.ITERATION: "repeat",
    StepKind.CONDITION: "git-branch",
    StepKind.EXIT_HANDLER: "skip-forward",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """The selectable iterations of one loop, as (query, iteration); `left_out` of them are not offered."""

    box: Box
    options: tuple[tuple[str, Step], ...]
    left_out: int


def graph_context(
    steps: Sequence[Step], look: GraphViewState, *, view: str, selected: Step | None = None, is_plan: bool = False
) -> dict[str, Any]:
    """Returns the context for `runs/_graph.html`, and the part that other views need to keep the look in their URLs.

    Args:
        steps: parents before children.
        look: which frames are open.
        view: the requested view; "graph" becomes "steps" if the graph is too large to come first.
        selected: the step whose panel is open.
        is_plan: whether these are the steps of a spec, which have not run.
    """
    top = sum(step.parent_id is None for step in steps)
    is_large = len(steps) > MOST_STEPS
    can_draw = top <= MOST_DRAWN
    shown = "steps" if view == "graph" and is_large and not (look.is_forced and can_draw) else view
    drawing = draw(steps, look, selected_id=selected.id if selected else "", view=shown) if shown == "graph" else None
    keep = look.query(view=shown)
    return {
        "view": shown,
        "look": look,
        "keep": f"?{keep}" if keep else "",
        "drawing": drawing,
        "is_plan": is_plan,
        "part": "graph-pane" if is_plan else "run-live",
        "is_large": is_large,
        "most_steps": MOST_STEPS,
        "step_count": len(steps),
        "draw_query": replace(look, is_forced=True).query(view="graph") if can_draw else "",
        "summary": summarize(steps, is_plan=is_plan),
        "buttons": _buttons(look, drawing, has_artifacts=any(step.artifacts for step in steps)),
        "menus": _menus(drawing) if drawing else [],
        "symbols": _symbols(drawing, is_plan=is_plan) if drawing else [],
    }


def timeline_context(steps: Sequence[Step], run: Run) -> dict[str, Any]:
    """Returns the context of the timeline."""
    drawn = build_timeline(steps, run, timezone.now())
    return {"timeline": drawn, "summary": summarize(steps)}


def _buttons(look: GraphViewState, drawing: Drawing | None, *, has_artifacts: bool) -> list[tuple[str, str, str, bool]]:
    """Returns (id, label, query, is pressed) of the links above the graph."""
    if drawing is None:
        return []
    buttons = []
    if has_artifacts:
        other = replace(look, has_artifacts=not look.has_artifacts)
        buttons.append(("graph-artifacts", "Artifacts", other.query(view="graph") or "view=graph", look.has_artifacts))
    if drawing.has_frames:
        for frames, label in (("open", "Open all"), ("closed", "Close all")):
            query = look.with_frames(frames).query(view="graph")
            is_so = look.frames == frames and not look.opened and not look.closed
            buttons.append((f"graph-frames-{frames}", label, query, is_so))
    return buttons


def _menus(drawing: Drawing) -> list[Menu]:
    menus = []
    for box in drawing.loops[:_MOST_MENUS]:
        assert box.choice is not None  # noqa: S101  (what makes it one of the loops)
        every = box.choice.options
        first = sorted(every, key=lambda option: option[1].state is not State.FAILED)[:_MOST_OPTIONS]
        kept = {step.id for _, step in first} | {box.choice.step.id}
        options = tuple(option for option in every if option[1].id in kept)
        menus.append(Menu(box=box, options=options, left_out=len(every) - len(options)))
    return menus


def _symbols(drawing: Drawing, *, is_plan: bool) -> list[tuple[str, str]]:
    """Returns (id, icon) of the marks on the boxes; the drawing contains each icon once."""
    steps = [box.step for box in drawing.boxes]
    if is_plan:
        return [(f"kind-{kind.value}", KIND_ICONS[kind]) for kind in sorted({step.kind for step in steps})]
    steps += [box.choice.step for box in drawing.boxes if box.choice]
    return [(f"mark-{state.value}", state.icon) for state in sorted({step.state for step in steps})]
