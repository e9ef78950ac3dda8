"""When each step waited, ran and ended: rows of bars on one time axis (a Gantt chart)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.runs.entities import Run, State, Step
from apps.runs.graph.summary import COMPOUND
from apps.ui.formats import duration

MOST_ROWS: Final = 1000
_MOST_TICKS: Final = 6
_SECONDS: Final = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
    3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip
_SHORTEST_WAIT: Final = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One period of time, in percent of the axis."""

    start: float
    length: float
    state: State

    @property
    def x(self) -> str:
        """Its start in SVG syntax."""
        return f"{self.start:.3f}%"

    @property
    def end(self) -> str:
        """Its end in SVG syntax."""
        return f"{self.start + self.length:.3f}%"

    @property
    def width(self) -> str:
        """Its length in SVG syntax."""
        return f"{self.length:.3f}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step's row.

    Attributes:
        depth: the number of frames that contain it, at most 8.
        bars: one for each attempt, oldest first; empty if it never started.
        wait: from the end of the last step it waits for to its own start; None if unknown, or if no time passed.
        waited: the length of `wait`; None like it.
        started_after: from the start of the axis to its first start.
        took: from its first start to its end, or to now.
    """

    step: Step
    depth: int
    is_frame: bool
    bars: tuple[Span, ...] = ()
    wait: Span | None = None
    waited: timedelta | None = None
    started_after: timedelta | None = None
    took: timedelta | None = None

    @property
    def label(self) -> str:
        """The bars as text, for screen readers."""
        waited = f", waited {duration(self.waited)}" if self.waited else ""
        started = f"{self.step.state.label.lower()}, started {duration(self.started_after)} after the start"
        return f"{started}{waited}, took {duration(self.took)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark of the axis."""

    x: str
    label: str
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Rows of steps that started, in the order of the tree, then those that never did.

    Attributes:
        left_out: the number of steps without a row.
    """

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    begins_at: datetime | None
    ends_at: datetime | None
    left_out: int = 0

    @property
    def total(self) -> timedelta | None:
        """The length of the axis; None if nothing has started."""
        return self.ends_at - self.begins_at if self.begins_at and self.ends_at else None


def build_timeline(steps: Sequence[Step], run: Run, now: datetime) -> Timeline:
    """Returns the timeline of a run's steps.

    Args:
        steps: parents before children.
        run: its creation starts the axis, if it is close enough to the first step.
        now: the end of the bars of running steps.
    """
    periods = {step.id: _periods(step, now) for step in steps}
    begins, ends = _bounds(periods.values(), run)
    if begins is None or ends is None:
        return Timeline(
            rows=tuple(_idle_rows(steps, periods)[:MOST_ROWS]),
            ticks=(),
            begins_at=None,
            ends_at=None,
            left_out=max(0, len(steps) - MOST_ROWS),
        )
    axis = _Axis(begins=begins, length=max((ends - begins).total_seconds(), 0.001))
    rows = [*_busy_rows(steps, periods, axis), *_idle_rows(steps, periods)]
    return Timeline(
        rows=tuple(rows[:MOST_ROWS]),
        ticks=tuple(_ticks(axis.length)),
        begins_at=begins,
        ends_at=ends,
        left_out=max(0, len(rows) - MOST_ROWS),
    )


_Period = tuple[datetime, datetime, State]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    begins: datetime
    length: float

    def span(self, start: datetime, end: datetime, state: State) -> Span:
        first = 100 * (start - self.begins).total_seconds() / self.length
        length = 100 * (end - start).total_seconds() / self.length
        first = min(100.0, max(0.0, first))
        return Span(start=first, length=min(100.0 - first, max(0.0, length)), state=state)


def _periods(step: Step, now: datetime) -> list[_Period]:
    """Returns the periods of a step's attempts. Clocks differ between machines: a negative period counts as zero."""
    parts = step.attempts or (step,)
    found: list[_Period] = []
    for part in parts:
        if part.started_at is not None:
            end = part.finished_at or (part.started_at if part.state.is_final else now)
            found.append((part.started_at, max(part.started_at, end), part.state))
    if not found and step.attempts and step.started_at is not None:
        end = step.finished_at or (step.started_at if step.state.is_final else now)
        found.append((step.started_at, max(step.started_at, end), step.state))
    return found


def _bounds(periods: Iterable[list[_Period]], run: Run) -> tuple[datetime | None, datetime | None]:
    every = [period for each in periods for period in each]
    if not every:
        return None, None
    begins, ends = min(start for start, _, _ in every), max(end for _, end, _ in every)
    # A clone of an old schedule may have been created long before, and the axis would show nothing but waiting.
    created = run.created_at
    if created and created < begins and begins - created < (ends - begins) + timedelta(seconds=60):
        begins = created
    return begins, ends


def _busy_rows(steps: Sequence[Step], periods: Mapping[str, list[_Period]], axis: _Axis) -> list[Row]:
    ends = _ends_by_name(steps, periods)
    holders = {step.parent_id for step in steps}
    depths = _depths(steps)
    started = {step.id: periods[step.id][0][0] for step in steps if periods[step.id]}
    rows = []
    for step in steps:
        own = periods[step.id]
        if not own:
            continue
        is_frame = step.id in holders or step.kind in COMPOUND
        ready = None if step.iteration_index is not None else _ready_at(step, ends, started, axis)
        waited = own[0][0] - ready if ready else None
        is_wait = waited is not None and waited >= _SHORTEST_WAIT
        rows.append(
            Row(
                step=step,
                depth=depths[step.id],
                is_frame=is_frame,
                bars=tuple(axis.span(*period) for period in own),
                wait=axis.span(ready, own[0][0], State.PENDING) if is_wait and ready else None,
                waited=waited if is_wait else None,
                started_after=own[0][0] - axis.begins,
                took=own[-1][1] - own[0][0],
            )
        )
    return rows


def _ready_at(
    step: Step, ends: Mapping[tuple[str | None, str], datetime], started: Mapping[str, datetime], axis: _Axis
) -> datetime | None:
    """Returns the end of the last step it waits for, or the start of its frame or axis; None if an end is unknown."""
    before = [ends[step.parent_id, name] for name in step.depends_on if (step.parent_id, name) in ends]
    if len(before) < len(step.depends_on):
        return None
    return max(before) if before else started.get(step.parent_id or "", axis.begins)


def _ends_by_name(
    steps: Sequence[Step], periods: Mapping[str, list[_Period]]
) -> dict[tuple[str | None, str], datetime]:
    return {
        (step.parent_id, step.task_name): max(end for _, end, _ in periods[step.id])
        for step in steps
        if periods[step.id] and step.iteration_index is None
    }


def _idle_rows(steps: Sequence[Step], periods: Mapping[str, list[_Period]]) -> list[Row]:
    holders = {step.parent_id for step in steps}
    idle = [step for step in steps if not periods[step.id]]
    return [Row(step=step, depth=0, is_frame=step.id in holders or step.kind in COMPOUND) for step in idle]


def _depths(steps: Sequence[Step]) -> dict[str, int]:
    depths: dict[str, int] = {}
    for step in steps:
        depths[step.id] = min(8, depths.get(step.parent_id or "", -1) + 1)
    return depths


def _ticks(length: float) -> list[Tick]:
    step = next((each for each in _SECONDS if length / each <= _MOST_TICKS), length / _MOST_TICKS)
    count = int(length / step + 1e-9)
    marks = [step * number for number in range(count + 1)]
    return [
        Tick(x=f"{100 * mark / length:.3f}%", label=_label(mark, step), is_last=mark / length > 0.92) for mark in marks
    ]


def _label(seconds: float, step: float) -> str:
    if seconds == 0:
        return "0"
    if step < 1:
        return f"{seconds:.1f} s"
    days, rest = divmod(round(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
