"""The graph as a drawing: nothing overlaps, frames hold what is in them, lines run downwards."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from apps.runs import graph, layout
from apps.runs.entities import State, Step, StepKind
from tests.runs.specs import SPEC


def overlap(a, b):
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def holds(outer, inner):
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def test_a_spec_is_drawn_with_frames_around_their_tasks():
    drawing = graph.draw(graph.spec_steps(SPEC))
    boxes = {box.step.id: box for box in drawing.boxes}
    assert boxes["for-loop-1"].is_frame
    assert holds(boxes["for-loop-1"], boxes["for-loop-1.score"])
    assert boxes["read-data"].y < boxes["train"].y < boxes["evaluate"].y
    siblings = [box for box in drawing.boxes if box.depth == 0]
    assert not [pair for pair in itertools.combinations(siblings, 2) if overlap(*pair)]
    assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in drawing.boxes)
    assert len(drawing.paths) == 4


@pytest.mark.parametrize("seed", range(20))
def test_no_boxes_overlap_whatever_the_graph(seed):
    # A fixed seed: the graph is the same in every run.
    rng = random.Random(seed)
    keys = [f"n{number}" for number in range(rng.randint(1, 40))]
    sizes = {key: (rng.choice([196, 300, 520]), rng.choice([46, 120])) for key in keys}
    edges = [(a, b) for a, b in itertools.combinations(keys, 2) if rng.random() < 0.08]
    placed = layout.place(sizes, edges)
    boxes = [
        graph.Box(step=None, x=x, y=y, width=sizes[key][0], height=sizes[key][1], label="", is_frame=False, depth=0)
        for key, (x, y) in placed.corners.items()
    ]
    assert len(boxes) == len(keys)
    assert not [pair for pair in itertools.combinations(boxes, 2) if overlap(*pair)]
    for (source, target), points in placed.lines.items():
        assert points[0][1] == pytest.approx(placed.corners[source][1] + sizes[source][1])
        assert points[-1][1] == pytest.approx(placed.corners[target][1])
        assert points[0][1] < points[-1][1]


def test_the_drawing_is_the_same_in_every_process():
    code = "from tests.runs.specs import SPEC; from apps.runs import graph; print(graph.draw(graph.spec_steps(SPEC)))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert "evaluate" in told.pop()


def test_a_long_loop_shows_its_failures_and_says_how_many_are_left_out():
    loop = Step(id="l", name="l", task_name="l", state=State.FAILED, kind=StepKind.LOOP)
    rounds = [
        Step(
            id=f"l.{number}",
            name=f"l #{number}",
            task_name="l",
            parent_id="l",
            kind=StepKind.ITERATION,
            iteration_index=number,
            state=State.FAILED if number == 70 else State.SUCCEEDED,
        )
        for number in range(100)
    ]
    drawing = graph.draw([loop, *rounds])
    frame = drawing.boxes[0]
    assert frame.hidden == 100 - graph.MOST_ITERATIONS
    assert "l.70" in {box.step.id for box in drawing.boxes}


def test_no_steps_make_an_empty_drawing():
    assert graph.draw([]).boxes == ()
