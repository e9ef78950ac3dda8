"""Compares runs: parameters, single metrics, ROC curves in one plot, confusion matrices, HTML and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from apps.runs import charts
from apps.runs.entities import Artifact, Run, RunDetails, Step
from apps.runs.exceptions import RunsError, words_of
from apps.runs.gateway import Gateway
from apps.runs.gateway.spec import effective_parameters

_AT_ONCE: Final = 4
_PAGES: Final = {"system.HTML": "html", "system.Markdown": "markdown"}
# Each of a loop's thousand iterations would be a page of its own.
_MOST_GROUPS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table: a value for each run, None if the run has none."""

    name: str
    values: Sequence[Any]

    @property
    def differs(self) -> bool:
        """Whether the values of the runs differ."""
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One artifact (or one slice of it) across the runs: as many items as runs, None for a run without it."""

    title: str
    runs: Sequence[Run]
    items: Sequence[Any]

    @property
    def by_run(self) -> list[tuple[Run, Any]]:
        """Each run with its item."""
        return list(zip(self.runs, self.items, strict=True))

    @property
    def curves_label(self) -> str:
        """The areas under the runs' ROC curves as text, for screen readers."""
        return "; ".join(f"{run.name}, {f'area {curve.auc:.4f}' if curve else 'none'}" for run, curve in self.by_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An HTML or Markdown artifact of one run, displayed from its own URL."""

    run: Run
    step: Step
    artifact: Artifact
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything the page shows; the lists match `runs` in length and order.

    Attributes:
        problems: a sentence for each run that could not be read.
        notices: what is missing from those that could.
    """

    runs: Sequence[Run]
    parameters: Sequence[Line]
    metrics: Sequence[Line]
    curves: Sequence[Group]
    matrices: Sequence[Group]
    pages: Sequence[Group]
    problems: Sequence[str] = ()
    notices: Sequence[str] = ()


def runs_read(gateway: Gateway, run_ids: Sequence[str]) -> tuple[list[RunDetails], list[str]]:
    """Returns the readable runs, in order, and a sentence for each unreadable one."""

    def read(run_id: str) -> RunDetails | str:
        try:
            return gateway.run_details(run_id)
        except RunsError as error:
            return f"{run_id}: {words_of(error)}"

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = list(pool.map(read, run_ids))
    found = [answer for answer in answers if isinstance(answer, RunDetails)]
    return found, [answer for answer in answers if isinstance(answer, str)]


def compare(found: Sequence[RunDetails], problems: Sequence[str] = ()) -> Comparison:
    """Compares runs side by side."""
    runs = [details.run for details in found]
    return Comparison(
        runs=runs,
        parameters=_lines([effective_parameters(details.run) for details in found]),
        metrics=_lines([_metrics(details) for details in found]),
        curves=_groups(runs, [_drawn(details, lambda drawn: drawn.roc) for details in found]),
        matrices=_groups(runs, [_drawn(details, lambda drawn: drawn.confusion) for details in found]),
        pages=_groups(runs, [_pages(details) for details in found]),
        problems=problems,
        notices=list(dict.fromkeys(f"{details.run.name}: {details.notice}" for details in found if details.notice)),
    )


def _outputs(details: RunDetails) -> Iterable[tuple[str, Step, Artifact]]:
    """Yields (title, step, artifact); corresponding artifacts of other runs get the same title."""
    for step in details.steps:
        place = step.name if "." not in step.id else f"{step.name} ({step.id})"
        for artifact in step.artifacts:
            if artifact.direction == "output":
                yield f"{place}: {artifact.name}", step, artifact


def _metrics(details: RunDetails) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for title, _, artifact in _outputs(details):
        if artifact.type == "system.Metrics":
            place = title.rpartition(": ")[0]
            found |= {f"{place}: {name}": value for name, value in charts.scalars(artifact.metadata).items()}
    return found


def _drawn(details: RunDetails, part: Callable[[charts.Classification], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for title, _, artifact in _outputs(details):
        for drawn in charts.classifications(artifact.type, artifact.metadata):
            value = part(drawn)
            if value is not None:
                found[f"{title}, {drawn.slice_name}" if drawn.slice_name else title] = value
    return found


def _pages(details: RunDetails) -> dict[str, Page]:
    return {
        title: Page(run=details.run, step=step, artifact=artifact, kind=_PAGES[artifact.type])
        for title, step, artifact in _outputs(details)
        if artifact.type in _PAGES and artifact.uri
    }


def _lines(columns: Sequence[Mapping[str, Any]]) -> list[Line]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [Line(name=name, values=[column.get(name) for column in columns]) for name in names]


def _groups(runs: Sequence[Run], columns: Sequence[Mapping[str, Any]]) -> list[Group]:
    names = list(dict.fromkeys(name for column in columns for name in column))[:_MOST_GROUPS]
    return [Group(title=name, runs=runs, items=[column.get(name) for column in columns]) for name in names]
