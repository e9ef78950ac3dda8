"""Runs a graph of tasks, with their order, conditions, loops and nested graphs, like Kubeflow's driver and Argo."""

from __future__ import annotations

import graphlib
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from kfp.pipeline_spec import pipeline_spec_pb2

from localkfp import conditions, recorder
from localkfp.inputs import FAILED, SKIPPED, SUCCEEDED, Scope, resolve_inputs, with_types
from localkfp.steps import Step, StepRunner
from localkfp.values import Artifact, Collected, TaskError, Values, text_of

OWN_ERROR: Final = "there was an error in localkfp itself; its traceback is in the run's runner.log"
_ITERATIONS_AT_ONCE: Final = 2
_ALWAYS: Final = pipeline_spec_pb2.PipelineTaskSpec.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRunner:
    """Runs one pipeline.

    Attributes:
        components: its ComponentSpec messages by name.
        executors: its ExecutorSpec messages by label.
        failures: what went wrong, for people, in order of occurrence.
    """

    components: Mapping[str, Any]
    executors: Mapping[str, Any]
    steps: StepRunner
    failures: list[str] = field(default_factory=list)

    def run(self, component: Any, scope: Scope) -> Values:
        """Runs a graph to its end, even if tasks fail, and returns its outputs.

        Args:
            component: a ComponentSpec message that is a graph.
            scope: the graph's, before any of its tasks has run.
        """
        for name in _in_order(component.dag.tasks):
            self._run_task(name, component.dag.tasks[name], scope)
        return _outputs(component.dag.outputs, scope)

    def _run_task(self, name: str, task: Any, scope: Scope) -> None:
        upstream = {scope.states.get(other) for other in _upstream(task)}
        if task.trigger_policy.strategy != _ALWAYS and upstream & {FAILED, SKIPPED}:
            # Argo omits tasks that depend on one that did not run. A failure fails the run in any case.
            scope.states[name] = FAILED if FAILED in upstream else SKIPPED
            return
        scope.states[name] = self._guarded(name, lambda: self._outcome(name, task, scope))

    def _guarded(self, name: str, run: Callable[[], str]) -> str:
        """Converts an exception of a task to its state, so that siblings and exit tasks still run."""
        try:
            return run()
        except TaskError as error:
            self.failures.append(f"step {name} failed: {error}")
        except Exception:  # noqa: BLE001 - the edge of a task; it is logged
            _log.exception("Task %s ended with an exception", name)
            self.failures.append(f"step {name} failed: {OWN_ERROR}")
        return FAILED

    def _outcome(self, name: str, task: Any, scope: Scope) -> str:
        component = self.components[task.component_ref.name]
        is_graph, condition = component.WhichOneof("implementation") == "dag", task.trigger_policy.condition
        given = self._resolved(name, task, component, scope) if is_graph or condition else Values()
        if condition and not conditions.is_true(condition, given.parameters):
            # Like Kubeflow's driver: an execution of a graph in state CANCELED.
            self._start(name, task, scope.execution_id, Values(), state=recorder.CANCELED)
            return SKIPPED
        if not is_graph:
            executor = self.executors[component.executor_label]
            step = Step(name=name, task=task, component=component, executor=executor, scope=scope)
            scope.outputs[name] = self.steps.run(step)
            return SUCCEEDED
        if task.WhichOneof("iterator"):
            return self._loop(name, task, component, scope, given)
        scope.outputs[name], state = self._nested(component, given, self._start(name, task, scope.execution_id, given))
        return state

    def _resolved(self, name: str, task: Any, component: Any, scope: Scope) -> Values:
        try:
            return resolve_inputs(task, component, scope, self.steps.facts_of(name, scope))
        except TaskError:
            self._start(name, task, scope.execution_id, Values(), state=recorder.FAILED)
            raise

    def _nested(self, component: Any, given: Values, execution_id: int) -> tuple[Values, str]:
        inner = Scope(execution_id=execution_id, inputs=given)
        try:
            outputs = self.run(component, inner)
        except BaseException:
            self._finish(execution_id, FAILED, Values())
            raise
        state = FAILED if FAILED in inner.states.values() else SUCCEEDED
        self._finish(execution_id, state, outputs)
        return outputs, state

    def _loop(self, name: str, task: Any, component: Any, scope: Scope, given: Values) -> str:
        loop_id, state = self._start(name, task, scope.execution_id, given), FAILED
        try:
            turns = _turns(task, component, scope, given)
            self.steps.record.update(loop_id, iteration_count=len(turns))

            def run(index: int) -> tuple[Values, str]:
                shown = _without(task.parameter_iterator.items.input_parameter, turns[index])
                execution_id = self._start(name, task, loop_id, shown, iteration_index=index)
                return self._nested(component, turns[index], execution_id)

            at_once = min(task.iterator_policy.parallelism_limit or _ITERATIONS_AT_ONCE, _ITERATIONS_AT_ONCE)
            with ThreadPoolExecutor(max_workers=at_once) as pool:
                ended = list(pool.map(run, range(len(turns))))
            state = FAILED if any(state == FAILED for _outputs, state in ended) else SUCCEEDED
        finally:
            self._finish(loop_id, state, Values())
        scope.outputs[name] = _collected(component, [outputs for outputs, _state in ended])
        return state

    def _start(self, name: str, task: Any, parent_id: int, given: Values, **properties: Any) -> int:
        return self.steps.record.start(
            recorder.DAG,
            task_name=name,
            parent_id=parent_id,
            inputs=given.parameters,
            artifacts=self.steps.record_artifacts(given),
            display_name=task.task_info.name or name,
            **properties,
        )

    def _finish(self, execution_id: int, state: str, outputs: Values) -> None:
        self.steps.record.finish(
            execution_id,
            recorder.COMPLETE if state == SUCCEEDED else recorder.FAILED,
            outputs=outputs.parameters,
            artifacts=self.steps.record_artifacts(outputs),
        )


def _in_order(tasks: Mapping[str, Any]) -> list[str]:
    sorter = graphlib.TopologicalSorter({name: _upstream(tasks[name]) & set(tasks) for name in sorted(tasks)})
    try:
        return list(sorter.static_order())
    except graphlib.CycleError:
        raise TaskError("its tasks wait for each other in a circle") from None


def _upstream(task: Any) -> set[str]:
    """Returns the tasks that must have ended before this one."""
    sources = [spec.task_output_parameter.producer_task for spec in task.inputs.parameters.values()]
    sources += [spec.task_output_artifact.producer_task for spec in task.inputs.artifacts.values()]
    return {name for name in (*sources, *task.dependent_tasks) if name}


def _turns(task: Any, component: Any, scope: Scope, given: Values) -> list[Values]:
    """Returns the inputs of each iteration of a loop."""
    if task.WhichOneof("iterator") == "artifact_iterator":
        iterator = task.artifact_iterator
        found = given.artifacts.get(iterator.items.input_artifact, [])
        return [
            Values(parameters=given.parameters, artifacts={**given.artifacts, iterator.item_input: [item]})
            for item in found
        ]
    iterator = task.parameter_iterator
    source = iterator.items.input_parameter
    items = json.loads(iterator.items.raw) if iterator.items.raw else given.parameters.get(source)
    return [
        Values(
            parameters=with_types({**given.parameters, iterator.item_input: item}, component, scope, task),
            artifacts=given.artifacts,
        )
        for item in _listed(items, source)
    ]


def _without(name: str, values: Values) -> Values:
    """Returns values without one parameter: recording a loop's list for each of its items would be quadratic."""
    parameters = {other: value for other, value in values.parameters.items() if other != name}
    return Values(parameters=parameters, artifacts=values.artifacts)


def _listed(items: Any, source: str) -> list[Any]:
    if isinstance(items, str):
        with suppress(ValueError):
            items = json.loads(items)
    if not isinstance(items, list):
        raise TaskError(
            f"it loops over {source.removeprefix('pipelinechannel--')!r}, which is not a list: {text_of(items):.100}"
        )
    return items


def _collected(component: Any, turns: list[Values]) -> Values:
    """Returns the outputs of a loop: each is one list of the values from the iterations that produced it."""
    parameters: dict[str, Any] = {name: Collected() for name in component.dag.outputs.parameters}
    artifacts: dict[str, list[Artifact]] = {name: [] for name in component.dag.outputs.artifacts}
    for turn in turns:
        for name, value in turn.parameters.items():
            parameters[name].extend(value if isinstance(value, Collected) else [value])
        for name, found in turn.artifacts.items():
            artifacts[name].extend(found)
    return Values(parameters=parameters, artifacts=artifacts)


def _outputs(spec: Any, scope: Scope) -> Values:
    """Returns the outputs of a graph; for `dsl.OneOf`, the output of the branch that ran."""
    parameters: dict[str, Any] = {}
    for name, output in spec.parameters.items():
        is_one_of = output.WhichOneof("kind") == "value_from_oneof"
        for source in output.value_from_oneof.parameter_selectors if is_one_of else [output.value_from_parameter]:
            made = scope.outputs.get(source.producer_subtask, Values()).parameters
            if source.output_parameter_key in made:
                parameters.setdefault(name, made[source.output_parameter_key])
    artifacts: dict[str, list[Artifact]] = {}
    for name, output in spec.artifacts.items():
        for source in output.artifact_selectors:
            made_artifacts = scope.outputs.get(source.producer_subtask, Values()).artifacts
            if source.output_artifact_key in made_artifacts:
                artifacts.setdefault(name, made_artifacts[source.output_artifact_key])
    return Values(parameters=parameters, artifacts=artifacts)
