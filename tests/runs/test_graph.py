"""The graph's layout: boxes do not overlap, frames contain their steps, and lines run down and around boxes."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from apps.runs import graph, layout
from apps.runs.entities import Artifact, State, Step, StepKind
from apps.runs.graph.labels import fit
from tests.runs.specs import SPEC


@dataclass
class Area:
    x: float
    y: float
    width: float
    height: float


def overlap(a, b):
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def holds(outer, inner):
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def step(part, parent="", /, **more):
    step_id = f"{parent}.{part}" if parent else part
    values = {"state": State.SUCCEEDED, "parent_id": parent or None, "task_name": part, "name": part}
    return Step(id=step_id, **{**values, **more})


def loop(name, count, *inside, parent="", failed=(), **more):
    """Returns a loop with its iterations. Each has the steps named in `inside`, in sequence."""
    steps = [step(name, parent, kind=StepKind.LOOP, iteration_count=count, **more)]
    for number in range(count):
        state = State.FAILED if number in failed else State.SUCCEEDED
        kind = {"kind": StepKind.ITERATION, "iteration_index": number, "state": state}
        steps.append(step(str(number), steps[0].id, **kind, task_name=name, name=f"{name} #{number + 1}"))
        for before, each in zip((None, *inside), inside, strict=False):
            depends_on = (before,) if before else ()
            steps.append(step(each, steps[0].id + f".{number}", state=state, depends_on=depends_on))
    return steps


def ids(drawing):
    return {box.step.id for box in drawing.boxes}


def edges(drawing):
    return {(line.source, line.target) for line in drawing.lines}


def test_spec_is_drawn_with_frames_around_their_tasks():
    drawing = graph.draw(graph.spec_steps(SPEC))
    boxes = {box.step.id: box for box in drawing.boxes}
    assert boxes["for-loop-1"].is_frame
    assert holds(boxes["for-loop-1"], boxes["for-loop-1.score"])
    assert boxes["read-data"].y < boxes["train"].y < boxes["evaluate"].y
    siblings = [box for box in drawing.boxes if box.depth == 0]
    assert not [pair for pair in itertools.combinations(siblings, 2) if overlap(*pair)]
    assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in drawing.boxes)
    assert edges(drawing) == {
        ("read-data", "train"),
        ("read-data", "for-loop-1"),
        ("train", "evaluate"),
        ("train", "condition-1"),
    }


@pytest.mark.parametrize("seed", range(20))
def test_boxes_do_not_overlap_and_lines_do_not_cross_them(seed):
    # The seed is fixed, so that the graph is the same in every test run.
    rng = random.Random(seed)
    keys = [f"n{number}" for number in range(rng.randint(1, 40))]
    sizes = {key: (rng.choice([196, 300, 520]), rng.choice([46, 120])) for key in keys}
    wanted = [(a, b) for a, b in itertools.combinations(keys, 2) if rng.random() < 0.08]
    placed = layout.place(sizes, wanted)
    boxes = {key: Area(x, y, *sizes[key]) for key, (x, y) in placed.corners.items()}
    assert set(boxes) == set(keys)
    assert set(placed.lines) == set(wanted)
    assert not [pair for pair in itertools.combinations(boxes.values(), 2) if overlap(*pair)]
    for (source, target), points in placed.lines.items():
        assert points[0][1] == pytest.approx(boxes[source].y + sizes[source][1])
        assert points[-1][1] == pytest.approx(boxes[target].y)
        assert points[0][1] < points[-1][1]
        others = [box for key, box in boxes.items() if key not in {source, target}]
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            corner = Area(min(x1, x2), min(y1, y2) + 0.5, abs(x2 - x1), max(0.0, abs(y2 - y1) - 1))
            assert not [box for box in others if overlap(corner, box)]


def test_drawing_does_not_depend_on_the_hash_seed():
    code = "from tests.runs.specs import SPEC; from apps.runs import graph; print(graph.draw(graph.spec_steps(SPEC)))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert "evaluate" in told.pop()


def test_loop_shows_one_iteration_preferably_the_failed_one():
    steps = loop("l", 100, "a", "b", failed={70})
    drawing = graph.draw(steps)
    assert ids(drawing) == {"l", "l.70.a", "l.70.b"}
    assert edges(drawing) == {("l.70.a", "l.70.b")}
    choice = drawing.boxes[0].choice
    assert (choice.step.id, choice.place, len(choice.options)) == ("l.70", 71, 100)
    assert choice.before == "iteration=l:69"
    assert choice.after == "iteration=l:71"
    chosen = graph.draw(steps, graph.GraphViewState(iterations={"l": 3}))
    assert "l.3.a" in ids(chosen)
    assert "l.99.b" in ids(graph.draw(steps, selected_id="l.99.b"))
    assert "l.70.a" in ids(graph.draw(steps, graph.GraphViewState(iterations={"l": 5000})))


def test_running_loop_shows_the_running_iteration():
    steps = loop("l", 3, "a")
    running = [
        Step(**{**_fields(each), "state": State.RUNNING}) if each.id.startswith("l.2") else each for each in steps
    ]
    assert ids(graph.draw(running)) == {"l", "l.2.a"}


def _fields(each):
    return {name: getattr(each, name) for name in Step.__slots__}


def test_nested_loops_have_separate_iteration_choices():
    steps = loop("outer", 2)
    for number in range(2):
        steps += loop("inner", 2, "work", parent=f"outer.{number}")
    look = graph.GraphViewState(iterations={"outer": 1, "outer.1.inner": 1})
    assert ids(graph.draw(steps, look)) == {"outer", "outer.1.inner", "outer.1.inner.1.work"}


def many_frames(failed=""):
    steps = []
    for number in range(10):
        name = f"stage{number}"
        state = State.FAILED if name == failed else State.SUCCEEDED
        depends_on = (f"stage{number - 1}",) if number else ()
        steps.append(step(name, kind=StepKind.DAG, state=state, depends_on=depends_on))
        for inner in range(9):
            is_failed = name == failed and inner == 4
            steps.append(step(f"t{inner}", name, state=State.FAILED if is_failed else State.SUCCEEDED))
    return steps


def test_large_graph_has_closed_frames_with_summaries():
    drawing = graph.draw(many_frames(failed="stage3"))
    boxes = {box.step.id: box for box in drawing.boxes}
    assert len(boxes) == 10 + 9
    assert boxes["stage3"].is_frame
    assert not boxes["stage4"].is_frame
    assert boxes["stage4"].held == "9 succeeded"
    assert boxes["stage3"].held == "1 failed, 8 succeeded"
    assert len(edges(drawing)) == 9
    assert boxes["stage4"].toggle == "open=stage4"
    assert boxes["stage3"].toggle == "close=stage3"


def test_frames_open_and_close_by_view_state():
    steps = many_frames()
    assert len(graph.draw(steps).boxes) == 10
    assert len(graph.draw(steps, graph.GraphViewState(opened=frozenset({"stage4", "no such"}))).boxes) == 19
    everything = graph.draw(steps, graph.GraphViewState(frames="open"))
    assert len(everything.boxes) == len(steps)
    assert (
        len(graph.draw(steps, graph.GraphViewState(frames="open", closed=frozenset({"stage1"}))).boxes)
        == len(steps) - 9
    )
    assert "stage7.t2" in ids(graph.draw(steps, selected_id="stage7.t2"))


def test_frames_over_the_drawing_limit_stay_closed():
    steps = []
    for number in range(4):
        steps.append(step(f"f{number}", kind=StepKind.DAG))
        steps += [step(f"t{inner}", f"f{number}") for inner in range(graph.MOST_DRAWN // 2)]
    drawing = graph.draw(steps, graph.GraphViewState(frames="open"))
    assert drawing.is_cut
    assert graph.MOST_DRAWN // 2 < len(drawing.boxes) <= graph.MOST_DRAWN


def test_dependency_on_a_step_in_a_frame_is_drawn_from_the_frame():
    # In Argo, the next step waits for the last pod of a DAG.
    steps = [
        step("dag", kind=StepKind.DAG),
        step("first", "dag"),
        step("last", "dag", depends_on=("first",)),
        step("next", depends_on=("last",)),
        step("dag2", kind=StepKind.DAG),
        step("inner", "dag2", depends_on=("next",)),
    ]
    assert edges(graph.draw(steps)) == {("dag.first", "dag.last"), ("dag", "next"), ("next", "dag2")}
    closed = graph.draw(steps, graph.GraphViewState(frames="closed"))
    assert edges(closed) == {("dag", "next"), ("next", "dag2")}


def test_cyclic_dependencies_are_drawn():
    steps = [step("a", depends_on=("b",)), step("b", depends_on=("a",)), step("c", depends_on=("c", "b"))]
    drawing = graph.draw(steps)
    assert ids(drawing) == {"a", "b", "c"}
    assert edges(drawing) == {("a", "b"), ("b", "a"), ("b", "c")}


def artifact(artifact_id, name, direction):
    return Artifact(id=artifact_id, name=name, type="system.Dataset", uri="", direction=direction)


def test_artifacts_are_drawn_between_writer_and_readers():
    steps = [
        step("read", artifacts=(artifact("1", "data", "output"), artifact("2", "stats", "output"))),
        step("frame", kind=StepKind.DAG, depends_on=("read",)),
        step("clean", "frame", artifacts=(artifact("1", "raw", "input"), artifact("3", "clean", "output"))),
        step("train", depends_on=("frame",), artifacts=(artifact("3", "data", "input"),)),
    ]
    assert graph.draw(steps).pills == ()
    look = graph.GraphViewState(has_artifacts=True)
    drawing = graph.draw(steps, look)
    pills = {pill.carried.artifact.id: pill for pill in drawing.pills}
    assert {key: pill.label for key, pill in pills.items()} == {"1": "data", "2": "stats", "3": "clean"}
    assert edges(drawing) == {
        ("read", pills["1"].carried.key),
        (pills["1"].carried.key, "frame"),
        ("read", pills["2"].carried.key),
        ("frame", pills["3"].carried.key),
        (pills["3"].carried.key, "train"),
    }
    closed = graph.draw(steps, graph.GraphViewState(has_artifacts=True, frames="closed"))
    assert len(closed.pills) == 3


def test_artifact_inside_a_closed_frame_is_not_drawn():
    steps = [
        step("frame", kind=StepKind.DAG),
        step("one", "frame", artifacts=(artifact("1", "data", "output"),)),
        step("two", "frame", depends_on=("one",), artifacts=(artifact("1", "data", "input"),)),
    ]
    opened = graph.draw(steps, graph.GraphViewState(has_artifacts=True))
    key = opened.pills[0].carried.key
    assert edges(opened) == {("frame.one", key), (key, "frame.two")}
    assert graph.draw(steps, graph.GraphViewState(has_artifacts=True, frames="closed")).pills == ()


def test_artifacts_of_kfp_1_runs_are_joined_by_uri():
    ends = [
        Artifact(id=f"pod.{direction}", name=direction, type="system.Artifact", uri=uri, direction=direction)
        for direction, uri in (("output", "minio://b/k"), ("input", "minio://b/k"))
    ]
    steps = [step("one", artifacts=(ends[0],)), step("two", depends_on=("one",), artifacts=(ends[1],))]
    drawing = graph.draw(steps, graph.GraphViewState(has_artifacts=True))
    assert [pill.carried.targets for pill in drawing.pills] == [("two",)]


def test_drawing_without_steps_is_empty():
    drawing = graph.draw([])
    assert drawing.boxes == ()
    assert (drawing.width, drawing.height) == (0, 0)


@pytest.mark.parametrize("name", ["short", "L" + "o" * 2000 + "ng", "名前" * 40, "😀" * 30, "a\nb\x00c", "W" * 22])
def test_names_are_shortened_to_fit_their_box(name):
    label = fit(name, 180)
    assert label.isprintable()
    assert len(label) <= 40
    assert label == name or label.endswith("…") or "\n" in name


def test_500_steps_are_laid_out_quickly():
    rng = random.Random(7)
    steps = [
        step(f"s{number}", depends_on=tuple({f"s{rng.randrange(max(0, number - 30), number)}" for _ in range(2)}))
        if number
        else step("s0")
        for number in range(500)
    ]
    started = time.process_time()
    drawing = graph.draw(steps)
    assert len(drawing.boxes) == 500
    # It takes a tenth of this limit. With a worse complexity it would take ten times the limit.
    assert time.process_time() - started < 1.0
