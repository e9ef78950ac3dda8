"""What a drawing of the graph is made of: boxes, frames around boxes, and lines. A template makes SVG of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from apps.runs import layout
from apps.runs.entities import State, Step
from apps.runs.graph.carried import Carried
from apps.runs.graph.labels import fit
from apps.ui.formats import duration, type_name

# Of the button that opens and closes a frame.
BUTTON: Final = 28.0
_ICONS: Final = {
    "Dataset": "table",
    "Model": "box",
    "Metrics": "chart-line",
    "ClassificationMetrics": "chart-column",
    "SlicedClassificationMetrics": "chart-column",
    "HTML": "code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The iteration a loop shows, and what its neighbours' addresses are.

    Attributes:
        x: where its buttons start, from the left of the frame.
        place: 1-based, among those that exist.
        before, after: the query of the neighbour; "" where there is none.
        options: (query, iteration) of each.
    """

    step: Step
    x: float
    place: int
    before: str
    after: str
    options: tuple[tuple[str, Step], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step in the drawing; a frame when it is drawn around others.

    Attributes:
        label: the name, cut to fit.
        is_frame: whether others are drawn inside it.
        holds: how many steps that do work are in it, of every iteration; 0 for a step that is no frame.
        held: their states in words, the worst first.
        toggle: the query that opens or closes it; "" where there is nothing to open.
        choice: the iteration shown; None for everything that is no loop, or a closed one.
    """

    step: Step
    x: float
    y: float
    width: float
    height: float
    label: str
    is_frame: bool
    depth: int
    holds: int = 0
    held: str = ""
    toggle: str = ""
    choice: Choice | None = None

    @property
    def place(self) -> str:
        """Its corner, as SVG writes it."""
        return f"{self.x:.1f} {self.y:.1f}"

    @property
    def button_x(self) -> float:
        """Where the button that opens and closes it stands."""
        return round(self.width - BUTTON - 4, 1)

    @property
    def took(self) -> timedelta | None:
        """How long it worked, or has worked so far; None where it did not start, or its end is not known."""
        if self.step.state is State.RUNNING and self.step.started_at:
            return max(timedelta(0), datetime.now(UTC) - self.step.started_at)
        return self.step.duration

    @property
    def kind_word(self) -> str:
        """What it is, for people."""
        return self.step.kind.value.replace("_", " ")

    @property
    def step_label(self) -> str:
        """The box of a run's step in words, for screen readers."""
        inside = f": {self.held}" if not self.is_frame else ""
        took = self.took
        parts = [
            f"{self.step.name}, {self.step.state.label.lower()}",
            f"{_count(self.holds, 'step')} inside{inside}" if self.holds else "",
            duration(took) if took is not None else "",
            f"{len(self.step.attempts)} tries" if self.step.attempts else "",
        ]
        return ", ".join([part for part in parts if part] + self._waits_for)

    @property
    def task_label(self) -> str:
        """The box of a pipeline's task in words, for screen readers."""
        inside = [f"{_count(self.holds, 'task')} inside"] if self.holds else []
        return ", ".join([f"{self.step.name}, {self.kind_word}", *inside, *self._waits_for])

    @property
    def _waits_for(self) -> list[str]:
        return [f"waits for {', '.join(self.step.depends_on)}"] if self.step.depends_on else []

    @property
    def word(self) -> str:
        """The second line of a box that is no open frame, cut to fit."""
        if not self.toggle:
            return self.kind_word
        if self.step.state is State.PENDING:
            return fit(f"{self.kind_word} of {self.holds}", self.width - 48)
        return fit(self.held or "empty", self.width - BUTTON - 44)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pill:
    """One artifact in the drawing, between the step that wrote it and those that read it."""

    carried: Carried
    x: float
    y: float
    width: float
    height: float
    label: str

    @property
    def place(self) -> str:
        """Its corner, as SVG writes it."""
        return f"{self.x:.1f} {self.y:.1f}"

    @property
    def icon(self) -> str:
        """The name of its type's icon."""
        return _ICONS.get(type_name(self.carried.artifact.type), "file-text")

    @property
    def origin_label(self) -> str:
        """The artifact and its step in words, for screen readers."""
        artifact = self.carried.artifact
        return f"{artifact.name}, {type_name(artifact.type)} of {self.carried.step.name}"

    @property
    def full_label(self) -> str:
        """The artifact, its step and its readers in words, for screen readers."""
        readers = f", read by {', '.join(self.carried.readers)}" if self.carried.readers else ""
        return self.origin_label + readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `source` and `target` are ids of steps, or `artifact:` with an artifact's."""

    source: str
    target: str
    points: tuple[layout.Point, ...]

    @property
    def path(self) -> str:
        """The line as an SVG path."""
        return layout.smooth(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Boxes (frames before what stands in them), artifacts and the lines between, in SVG units.

    Attributes:
        is_cut: whether frames stay closed because too much would have to be drawn.
    """

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    pills: tuple[Pill, ...] = ()
    is_cut: bool = False

    @property
    def has_frames(self) -> bool:
        """Whether anything can be opened or closed."""
        return any(box.toggle for box in self.boxes)

    @property
    def loops(self) -> list[Box]:
        """The open loops with more than one iteration."""
        return [box for box in self.boxes if box.choice is not None and len(box.choice.options) > 1]
