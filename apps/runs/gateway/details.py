"""One run with its steps: the order of requests, the fallback while lineage is down, and the cache."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from apps.runs import exceptions
from apps.runs.entities import Experiment, Pipeline, PipelineVersion, Run, RunDetails, State, Step
from apps.runs.gateway import convert, lineage, lineage_tree, workflow
from apps.runs.gateway import spec as specs
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.json_reading import JsonObject, json_object, json_objects, text
from apps.runs.gateway.lineage import Execution

ValueT = TypeVar("ValueT")
_KEPT_RUNS: Final = 128
_KEPT_SPECS: Final = 256
_NOT_IN_LINEAGE: Final = (
    "The lineage store does not know this run: inputs, outputs and artifacts of its steps are missing. "
    "Whether steps ran that Kubeflow does not list is unknown."
)


class Kept(Generic[ValueT]):
    """An in-process cache with a limited number of entries.

    Keys must contain the connection's user.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, ValueT] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> ValueT | None:
        """Returns the value of a key; None if there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: ValueT) -> None:
        """Stores a value; if the cache is full, replaces the least recently used one."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)


kept_steps: Kept[tuple[Step, ...]] = Kept(_KEPT_RUNS)
"""Steps of runs that ended; they can no longer change."""
kept_names: Kept[str] = Kept(_KEPT_SPECS)
"""Names of pipelines; a new name shows after a restart of the process."""
kept_experiments: Kept[Experiment] = Kept(_KEPT_SPECS)
"""Experiments, which Kubeflow never renames; one without a name no longer exists."""
kept_specs: Kept[Mapping[str, Any]] = Kept(_KEPT_SPECS)
"""Specs of pipeline versions, which Kubeflow never changes."""


def run_details(
    connection: Connection,
    run: Run,
    task_details: Sequence[JsonObject],
    read_tasks: Callable[[], Sequence[Execution]] | None = None,
) -> RunDetails:
    """Returns the run with its steps.

    Args:
        connection: whose permissions are used. The caller must have read `run` with the same connection, because
            lineage knows no namespaces.
        run: with its spec.
        task_details: the REST API's own (V2beta1PipelineTaskDetail); the fallback, and the source of errors.
        read_tasks: reads lineage from the API itself if it provides that; None uses ML Metadata.
    """
    key = (connection.owner, run.id, run.state, run.finished_at)
    steps = kept_steps.get(key) if run.state.is_final else None
    if steps is not None:
        return RunDetails(run=run, steps=steps)
    steps, notice = _read_steps(connection, run, task_details, read_tasks)
    if run.state.is_final and not notice:
        kept_steps.put(key, steps)
    return RunDetails(run=run, steps=steps, notice=notice)


def _read_steps(
    connection: Connection,
    run: Run,
    task_details: Sequence[JsonObject],
    read_tasks: Callable[[], Sequence[Execution]] | None,
) -> tuple[tuple[Step, ...], str]:
    try:
        if read_tasks is None and not specs.is_ir(run.spec):
            legacy = _legacy_run(connection, run)
            if legacy.manifest or specs.is_workflow(run.spec):
                return legacy.steps, "" if legacy.steps else legacy.message
        executions = read_tasks() if read_tasks else lineage.read_executions(connection, run.id)
    except exceptions.RunsError as error:
        notice = f"Inputs, outputs and artifacts are missing: the lineage store cannot be read. {error}"
        return _without_lineage(lineage_tree.build_steps(run, ()), task_details), notice
    steps = lineage_tree.build_steps(run, executions)
    # A server with tasks knows its runs: if it has no tasks for one, no step has begun.
    if executions or read_tasks or not run.state.is_final:
        return (_with_errors(steps, run, task_details) if executions else _from_rest(steps, task_details)), ""
    return _without_lineage(steps, task_details), _NOT_IN_LINEAGE


def _legacy_run(connection: Connection, run: Run) -> workflow.LegacyRun:
    """Returns a run of KFP 1.x; empty if it is not one. A newer Kubeflow does not even have the address."""
    try:
        return workflow.read_run(connection, run)
    except (exceptions.NotFoundError, exceptions.InvalidRequestError):
        return workflow.LegacyRun()


def _without_lineage(steps: Sequence[Step], task_details: Sequence[JsonObject]) -> tuple[Step, ...]:
    """Fills in what the REST API's tasks report; whether the other steps ran is unknown."""
    filled = _from_rest(steps, task_details)
    named = {text(detail.display_name) for detail in task_details}
    return tuple(step if step.task_name in named else replace(step, state=State.UNKNOWN) for step in filled)


def _from_rest(steps: Sequence[Step], task_details: Sequence[JsonObject]) -> tuple[Step, ...]:
    """Fills in states and times of the spec's steps from the REST API's tasks, matched by name."""
    by_name = {text(detail.display_name): detail for detail in task_details}
    return tuple(_filled(step, by_name.get(step.task_name)) for step in steps)


def _filled(step: Step, detail: JsonObject | None) -> Step:
    if detail is None:
        return step
    state = State.by_api_value(str(detail.state))
    return replace(
        step,
        state=step.state if state is State.UNKNOWN else state,
        started_at=convert.moment(detail.start_time) or convert.moment(detail.create_time),
        finished_at=convert.moment(detail.end_time),
        pod_name=_pod_name(detail),
        error=convert.error_text(detail.error),
    )


def _pod_name(detail: JsonObject) -> str:
    children = [text(child.pod_name) for child in json_objects(detail.child_tasks)]
    own = text(json_object(detail.executor_detail).main_job) or text(detail.pod_name)
    return own or next(filter(None, children), "")


def _with_errors(steps: Sequence[Step], run: Run, task_details: Sequence[JsonObject]) -> tuple[Step, ...]:
    """Adds the reasons of failed steps from the REST API's tasks and the run itself; lineage has none."""
    by_name = {
        text(detail.display_name): convert.error_text(detail.error)
        for detail in task_details
        if convert.error_text(detail.error)
    }
    return tuple(
        replace(step, error=step.error or by_name.get(step.task_name, "") or _in_run_error(step, run))
        if step.state is State.FAILED
        else step
        for step in steps
    )


def _in_run_error(step: Step, run: Run) -> str:
    """Returns the lines of a run's error that name one step."""
    lines = run.error.splitlines()
    return "\n".join(line for line in lines if any(_names(name, line) for name in (step.task_name, step.name)))


def _names(name: str, error: str) -> bool:
    """Whether an error names exactly this step: `fit` is not in "step refit"."""
    return bool(name) and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", error) is not None


def with_spec(connection: Connection, run: Run, read_version: Callable[[str, str], PipelineVersion]) -> Run:
    """Returns the run with its spec, which is missing if the run was started from a pipeline version.

    If that version cannot be read (deleted), the spec stays empty and the started steps are still shown.
    """
    if run.spec or not (run.pipeline_id and run.pipeline_version_id):
        return run
    key = (connection.owner, run.pipeline_id, run.pipeline_version_id)
    spec = kept_specs.get(key)
    if spec is None:
        try:
            spec = read_version(run.pipeline_id, run.pipeline_version_id).spec
        except (exceptions.NotFoundError, exceptions.EndpointError):
            return run
        kept_specs.put(key, spec)
    return replace(run, spec=spec, pipeline_name=specs.pipeline_name(spec))


def with_pipeline_name(connection: Connection, run: Run, read_pipeline: Callable[[str], Pipeline]) -> Run:
    """Returns the run with its pipeline's name in Kubeflow, which may differ from the compiled one."""
    if not run.pipeline_id:
        return run
    key = (connection.owner, run.pipeline_id)
    name = kept_names.get(key)
    if name is None:
        try:
            name = read_pipeline(run.pipeline_id).name
        except (exceptions.NotFoundError, exceptions.EndpointError):
            return run
        kept_names.put(key, name)
    return replace(run, pipeline_name=name or run.pipeline_name)


def with_experiment(connection: Connection, run: Run, read_experiment: Callable[[str], Experiment]) -> Run:
    """Returns the run with its experiment's name and, if the endpoint has namespaces, the experiment's namespace.

    If the experiment no longer exists, the namespace is that of the request.
    """
    experiment = _experiment(connection, run.experiment_id, read_experiment)
    named = replace(run, experiment_name=experiment.name)
    if not connection.endpoint.namespaces:
        return named
    return replace(named, namespace=experiment.namespace or connection.endpoint.namespace)


def _experiment(connection: Connection, experiment_id: str, read: Callable[[str], Experiment]) -> Experiment:
    key = (connection.owner, experiment_id)
    found = kept_experiments.get(key)
    if found is not None:
        return found
    found = Experiment(id=experiment_id, name="")
    if not experiment_id:
        return found
    try:
        found = read(experiment_id)
    except exceptions.EndpointError:
        return found
    except exceptions.NotFoundError:
        pass
    kept_experiments.put(key, found)
    return found
