"""A run, its steps, and what they took, made and wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.runs.entities.states import State, StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginEntry:
    """One thing that a plugin says of a run.

    Attributes:
        value: text, or JSON as text.
        url: where it leads, http or https; "" for no link.
    """

    name: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlugin:
    """What one plugin of Kubeflow made of a run, such as `mlflow`.

    Attributes:
        state: of the plugin's own work, not of the run.
        message: what it says of its state; "" for nothing.
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
        spec: the IR of what ran; empty where it was not asked for.
        namespace: whose run it is; "" in single-user mode, or where it was not asked for.
        experiment_name: "" where only its id is known.
        recurring_run_id: the schedule that started it; "" for none.
        plugins: what plugins made of it, by name.
        plugins_input: the settings that it was started with for plugins, an object by each one's name.
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
        """From creation to the end; None while it has not ended."""
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
        metadata: unwrapped JSON values (ML Metadata's list/struct wrappers removed).
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
        """The last part of the URI, or the artifact's name where there is none."""
        return self.uri.rstrip("/").rpartition("/")[2] or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a step that was tried more than once.

    Attributes:
        id: unique in its run, for the attempt's log.
        pod_name: "" where Kubeflow names none.
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
        id: stable in its run; for a step that never started it is made from its place in the spec.
        parent_id: the enclosing DAG, loop or condition; None at the top.
        task_name: the key in the pipeline spec; `name` is what people read.
        iteration_index: 0-based, on iterations of a loop only.
        iteration_count: how many, on loops only.
        inputs, outputs: parameter values by name.
        depends_on: task names in the same DAG this step waits for.
        pod_name: for logs; "" where there is none.
        condition: the expression that decided whether it ran; "" for none.
        attempts: oldest first; empty unless it was tried more than once.
        cached_run_id: the run that first made what a cached step reuses; "" where that is not known.
        cached_step_id: that run's step.
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
        """Whether it is a loop over no items: nothing in it ever starts."""
        return self.kind is StepKind.LOOP and self.iteration_count == 0

    @property
    def duration(self) -> timedelta | None:
        """How long it worked; None unless it started and ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """A run with its steps, parents before children, in the order they would be read.

    Attributes:
        notice: a sentence for people where something is missing (lineage is down); "" when all is known.
    """

    run: Run
    steps: tuple[Step, ...]
    notice: str = ""

    def step(self, step_id: str) -> Step | None:
        """Returns the step of that id; None where the run has none."""
        return next((step for step in self.steps if step.id == step_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """What a step wrote.

    Attributes:
        text: the last part where the log is long (see `is_cut`).
        note: why there is nothing, or where it came from; for people.
        first_line: the number of its first line; more than 1 where earlier ones were left out.
    """

    text: str
    is_cut: bool = False
    note: str = ""
    first_line: int = 1
