"""A run, its steps, and their inputs, outputs and logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.runs.entities.states import State, StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginEntry:
    """One fact that a plugin reports about a run.

    Attributes:
        value: text, or JSON as text.
        url: an http or https address that it links to; "" for no link.
    """

    name: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlugin:
    """The report of one Kubeflow plugin, such as `mlflow`, about a run.

    Attributes:
        state: of the plugin's own work, not of the run.
        message: the plugin's explanation of its state; "" for none.
    """

    name: str
    state: State
    message: str = ""
    entries: tuple[PluginEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a pipeline.

    Attributes:
        parameters: the values it was started with, JSON values by name.
        error: the reason for people; "" unless the run failed.
        spec: the IR that was executed; empty if it was not requested.
        namespace: the namespace of the run; "" in single-user mode, or if it was not requested.
        experiment_name: "" if only the id is known.
        recurring_run_id: the recurring run that started it; "" for none.
        plugins: the reports of plugins, by name.
        plugins_input: the settings for plugins that it was started with, one object per plugin name.
    """

    id: str
    name: str
    state: State
    namespace: str = ""
    recurring_run_id: str = ""
    experiment_id: str = ""
    experiment_name: str = ""
    pipeline_id: str = ""
    pipeline_version_id: str = ""
    pipeline_name: str = ""
    description: str = ""
    created_at: datetime | None = None
    scheduled_at: datetime | None = None
    finished_at: datetime | None = None
    is_archived: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pipeline_root: str = ""
    error: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[RunPlugin, ...] = ()
    plugins_input: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration(self) -> timedelta | None:
        """The time from creation to the end; None until it has ended."""
        if self.created_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact as one step saw it.

    Attributes:
        id: the artifact's id in the lineage store; the same artifact has the same id in every step.
        name: its name in this step (an input's or output's key), not the store's display name.
        type: the schema title, such as `system.Dataset`.
        direction: "input" or "output".
        metadata: JSON values without ML Metadata's list/struct wrappers.
    """

    id: str
    name: str
    type: str
    uri: str
    direction: str
    display_name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None

    @property
    def file_name(self) -> str:
        """The last part of the URI, or the artifact's name without a URI."""
        return self.uri.rstrip("/").rpartition("/")[2] or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a step that was tried more than once.

    Attributes:
        id: unique in its run, for the attempt's log.
        pod_name: "" if Kubeflow names none.
    """

    id: str
    state: State
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pod_name: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a run.

    Attributes:
        id: stable in its run; derived from the place in the spec for a step that never started.
        parent_id: the enclosing DAG, loop or condition; None at the top.
        task_name: the key in the pipeline spec; `name` is the one for people.
        iteration_index: 0-based, on iterations of a loop only.
        iteration_count: the number of iterations, on loops only.
        inputs, outputs: parameter values by name.
        depends_on: names of the tasks in the same DAG that this step waits for.
        pod_name: for logs; "" if there is none.
        condition: the expression that decided whether it ran; "" for none.
        attempts: oldest first; empty unless it was tried more than once.
        cached_run_id: the run that originally produced what a cached step reuses; "" if unknown.
        cached_step_id: the step of that run.
    """

    id: str
    name: str
    task_name: str
    state: State
    kind: StepKind = StepKind.CONTAINER
    parent_id: str | None = None
    iteration_index: int | None = None
    iteration_count: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    depends_on: tuple[str, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pod_name: str = ""
    image: str = ""
    error: str = ""
    condition: str = ""
    attempts: tuple[Attempt, ...] = ()
    cached_run_id: str = ""
    cached_step_id: str = ""

    @property
    def is_empty_loop(self) -> bool:
        """Whether it is a loop over no items, in which no step ever starts."""
        return self.kind is StepKind.LOOP and self.iteration_count == 0

    @property
    def duration(self) -> timedelta | None:
        """How long it ran; None unless it started and ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """A run with its steps, parents before children, in reading order.

    Attributes:
        notice: a sentence for people about missing data (lineage is down); "" if everything is known.
    """

    run: Run
    steps: tuple[Step, ...]
    notice: str = ""

    def step(self, step_id: str) -> Step | None:
        """Returns the step with that id; None if the run has none."""
        return next((step for step in self.steps if step.id == step_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """The log of a step.

    Attributes:
        text: only the last part if the log is long (see `is_cut`).
        note: why there is no log, or where it came from; for people.
        first_line: the number of its first line; more than 1 if earlier lines were omitted.
    """

    text: str
    is_cut: bool = False
    note: str = ""
    first_line: int = 1
