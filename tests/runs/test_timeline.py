"""The timeline: bars while steps run, gaps while they wait, a readable axis, and wrong clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.runs import graph
from apps.runs.entities import Attempt, Run, State, Step, StepKind

START = datetime(2026, 9, 21, 10, 0, tzinfo=UTC)


def at(seconds):
    return None if seconds is None else START + timedelta(seconds=seconds)


def step(name, start, end, **more):
    values = {"id": name, "name": name, "task_name": name, "state": State.SUCCEEDED}
    return Step(started_at=at(start), finished_at=at(end), **{**values, **more})


def timeline(*steps, created=0, now=100):
    run = Run(id="r", name="r", state=State.SUCCEEDED, created_at=at(created))
    return graph.build_timeline(steps, run, at(now))


def percent(text):
    return float(text.removesuffix("%"))


def test_steps_have_bars_while_running_and_gaps_while_waiting():
    drawn = timeline(step("a", 10, 20), step("b", 60, 100, depends_on=("a",)))
    first, second = drawn.rows
    assert (first.bars[0].start, first.bars[0].length) == (10, 10)
    assert (first.wait.start, first.wait.length) == (0, 10)
    assert (second.wait.start, second.wait.length) == (20, 40)
    assert second.waited == timedelta(seconds=40)
    assert second.took == timedelta(seconds=40)
    assert drawn.total == timedelta(seconds=100)


def test_each_attempt_has_its_own_bar():
    tries = (
        Attempt(id="1", state=State.FAILED, started_at=at(0), finished_at=at(10)),
        Attempt(id="2", state=State.SUCCEEDED, started_at=at(50), finished_at=at(100)),
    )
    (row,) = timeline(step("a", 0, 100, attempts=tries)).rows
    assert [(bar.state, bar.start, bar.length) for bar in row.bars] == [
        (State.FAILED, 0, 10),
        (State.SUCCEEDED, 50, 50),
    ]


def test_bar_of_a_running_step_ends_now():
    drawn = timeline(step("a", 0, None, state=State.RUNNING), now=40)
    assert drawn.rows[0].took == timedelta(seconds=40)
    assert drawn.ends_at == at(40)


def test_unstarted_steps_come_last():
    drawn = timeline(step("late", None, None, state=State.SKIPPED), step("a", 0, 10))
    assert [row.step.id for row in drawn.rows] == ["a", "late"]
    assert drawn.rows[1].bars == ()


def test_step_that_ends_before_its_start_has_zero_length():
    drawn = timeline(step("a", 50, 20), step("b", 0, 100), step("c", 70, None))
    assert [row.bars[0].length for row in drawn.rows] == [0, 100, 0]
    assert drawn.rows[0].took == timedelta(0)


def test_rows_are_in_tree_order():
    steps = [
        step("loop", 0, 10, kind=StepKind.LOOP),
        step("0", 0, 4, id="loop.0", parent_id="loop", kind=StepKind.ITERATION, iteration_index=0),
        step("work", 0, 4, id="loop.0.work", parent_id="loop.0"),
        step("next", 10, 12, depends_on=("loop",)),
    ]
    drawn = timeline(*steps)
    assert [(row.step.id, row.depth, row.is_frame) for row in drawn.rows] == [
        ("loop", 0, True),
        ("loop.0", 1, True),
        ("loop.0.work", 2, False),
        ("next", 0, False),
    ]


def test_timeline_begins_at_the_first_step_if_the_run_is_much_older():
    drawn = timeline(step("a", 86400, 86410))
    assert drawn.begins_at == at(86400)


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0.5, ["0", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s"]),
        (9, ["0", "2 s", "4 s", "6 s", "8 s"]),
        (90, ["0", "15 s", "30 s", "45 s", "1 m", "1 m 15 s", "1 m 30 s"]),
        (3 * 3600, ["0", "30 m", "1 h", "1 h 30 m", "2 h", "2 h 30 m", "3 h"]),
        (4 * 86400, ["0", "1 d", "2 d", "3 d", "4 d"]),
    ],
)
def test_axis_ticks_have_round_intervals(seconds, labels):
    drawn = timeline(step("a", 0, seconds))
    assert [tick.label for tick in drawn.ticks] == labels
    assert [percent(tick.x) for tick in drawn.ticks] == sorted(percent(tick.x) for tick in drawn.ticks)


def test_axis_of_years_has_few_ticks():
    assert len(timeline(step("a", 0, 20 * 365 * 86400)).ticks) <= 8


def test_timeline_without_started_steps_has_no_total():
    drawn = timeline(step("a", None, None, state=State.PENDING))
    assert drawn.total is None
    assert [row.step.id for row in drawn.rows] == ["a"]


def test_rows_over_the_limit_are_counted():
    drawn = timeline(*(step(f"s{number}", number, number + 1) for number in range(1203)))
    assert len(drawn.rows) == 1000
    assert drawn.left_out == 203
