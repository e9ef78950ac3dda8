"""The elements of a graph's drawing: boxes, frames around boxes, and lines. A template renders them as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from apps.runs import layout
from apps.runs.entities import State, Step
from apps.runs.graph.carried import Carried
from apps.runs.graph.labels import fit
from apps.ui.formats import duration, type_name

# Size of the button that opens and closes a frame.
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
    """The iteration that a loop shows, and the URLs of its neighbours.

    Attributes:
        x: where its buttons start, from the left of the frame.
        place: 1-based, among the existing ones.
        before, after: the query of the neighbour; "" if there is none.
        options: (query, iteration) of each iteration.
    """

    step: Step
    x: float
    place: int
    before: str
    after: str
    options: tuple[tuple[str, Step], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step in the drawing; a frame if it is drawn around others.

    Attributes:
        label: the name, cut to fit.
        is_frame: whether others are drawn inside it.
        holds: the number of steps other than frames in it, over all iterations; 0 for a step that is not a frame.
        held: their states as text, the worst first.
        toggle: the query that opens or closes it; "" if there is nothing to open.
        choice: the iteration shown; None unless it is an open loop.
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
        """Its corner in SVG syntax."""
        return f"{self.x:.1f} {self.y:.1f}"

    @property
    def button_x(self) -> float:
        """The position of the button that opens and closes it."""
        return round(self.width - BUTTON - 4, 1)

    @property
    def took(self) -> timedelta | None:
        """How long it ran or has run so far; None if it did not start, or if its end is unknown."""
        if self.step.state is State.RUNNING and self.step.started_at:
            return max(timedelta(0), datetime.now(UTC) - self.step.started_at)
        return self.step.duration

    @property
    def kind_word(self) -> str:
        """Its kind, for people."""
        return self.step.kind.value.replace("_", " ")

    @property
    def step_label(self) -> str:
        """The box of a run's step as text, for screen readers."""
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
        """The box of a pipeline's task as text, for screen readers."""
        inside = [f"{_count(self.holds, 'task')} inside"] if self.holds else []
        return ", ".join([f"{self.step.name}, {self.kind_word}", *inside, *self._waits_for])

    @property
    def _waits_for(self) -> list[str]:
        return [f"waits for {', '.join(self.step.depends_on)}"] if self.step.depends_on else []

    @property
    def word(self) -> str:
        """The second line of a box that is not an open frame, cut to fit."""
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
        """Its corner in SVG syntax."""
        return f"{self.x:.1f} {self.y:.1f}"

    @property
    def icon(self) -> str:
        """The name of its type's icon."""
        return _ICONS.get(type_name(self.carried.artifact.type), "file-text")

    @property
    def origin_label(self) -> str:
        """The artifact and its step as text, for screen readers."""
        artifact = self.carried.artifact
        return f"{artifact.name}, {type_name(artifact.type)} of {self.carried.step.name}"

    @property
    def full_label(self) -> str:
        """The artifact, its step and its readers as text, for screen readers."""
        readers = f", read by {', '.join(self.carried.readers)}" if self.carried.readers else ""
        return self.origin_label + readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `source` and `target` are ids of steps, or of artifacts with the prefix `artifact:`."""

    source: str
    target: str
    points: tuple[layout.Point, ...]

    @property
    def path(self) -> str:
        """The line as an SVG path."""
        return layout.smooth(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Boxes (frames before their contents), artifacts and the lines between them, in SVG units.

    Attributes:
        is_cut: whether some frames stay closed because the drawing would be too large.
    """

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    pills: tuple[Pill, ...] = ()
    is_cut: bool = False

    @property
    def has_frames(self) -> bool:
        """Whether any frame can be opened or closed."""
        return any(box.toggle for box in self.boxes)

    @property
    def loops(self) -> list[Box]:
        """The open loops with more than one iteration."""
        return [box for box in self.boxes if box.choice is not None and len(box.choice.options) > 1]
