"""The one place that touches kfp.local's private parts: it runs a graph and tells an observer of every step.

kfp.local (2.17) has no public way to learn of a step's start, end, inputs, outputs or log, so functions of its
orchestrator are replaced by ones that call the observer around the originals. Its state is global: one run per process.
packages/localkfp/tests/test_hooks.py names every private thing used here and fails when one moves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from google.protobuf import json_format
from kfp import local
from kfp.local import executor_input_utils, importer_handler, subprocess_task_handler, utils
from kfp.local.orchestrator import enhanced_dag_orchestrator as orchestrator
from kfp.local.orchestrator import task_executor
from kfp.local.orchestrator.orchestrator_utils import OrchestratorUtils
from kfp.local.status import Status
from kfp.pipeline_spec import pipeline_spec_pb2

Outcome = tuple[dict[str, Any], Status]
SUCCESS: Final = Status.SUCCESS
FAILURE: Final = Status.FAILURE
# Read by kfp.local's check that a command is a lightweight component; nothing runs it.
_OUTPUT_FILE: Final = executor_input_utils._EXECUTOR_OUTPUT_FILE  # noqa: SLF001
_MARK: Final = "kfp.dsl.executor_main"


class Observer(Protocol):
    """What hears of a run."""

    def task(self, call: Mapping[str, Any], proceed: Callable[[], Outcome]) -> Outcome:
        """A task of any kind, one iteration of a loop included."""

    def step(self, call: Mapping[str, Any], proceed: Callable[[], Outcome]) -> Outcome:
        """A task that is no graph: a container or an importer."""

    def loop(self, call: Mapping[str, Any], proceed: Callable[[], bool]) -> bool:
        """A ParallelFor; returns True where it failed."""

    def loop_size(self, io_store: Any, task_name: str, count: int) -> None:
        """How often a loop that has begun will iterate."""

    def condition(self, expression: str, *, is_true: bool) -> None:
        """A condition was looked at."""

    def task_root(self) -> str:
        """Where the step that is running in this thread puts its outputs."""

    def process(self, arguments: list[str], env: Mapping[str, str]) -> int:
        """Runs the component of the step in this thread; returns its exit code."""

    def imported(self, outputs: dict[str, Any]) -> None:
        """An importer's outputs, which may be changed in place."""


def parse_spec(spec: Mapping[str, Any]) -> Any:
    """Returns the PipelineSpec message of compiled JSON.

    Raises:
        google.protobuf.json_format.ParseError: it is none.
    """
    return json_format.ParseDict(dict(spec), pipeline_spec_pb2.PipelineSpec(), ignore_unknown_fields=True)


def executors_of(spec: Any) -> dict[str, Any]:
    """Returns the executor messages of a PipelineSpec by label."""
    found = dict(spec.deployment_spec).get("executors") or {}
    return {label: utils.struct_to_executor_spec(executor) for label, executor in found.items()}


def mark_as_python(executor: Any) -> None:
    """Takes the shell out of a lightweight component's command, with its `pip install` prelude."""
    del executor.container.command[:]
    executor.container.command.append(_MARK)


def mark_as_command(executor: Any) -> None:
    """Lets the command of a container component be run as it is, which kfp.local refuses to do without containers."""
    executor.container.command.insert(0, _MARK)


def write_outputs(component: Any, folder: Path) -> None:
    """Writes which artifacts a container's command made, as Kubeflow's launcher does: the files that are there."""
    names = [name for name in component.output_definitions.artifacts if (folder / name).exists()]
    made = {name: {"artifacts": [{"name": name, "uri": str(folder / name)}]} for name in names}
    (folder / _OUTPUT_FILE).write_text(json.dumps({"artifacts": made}), encoding="utf-8")


def step_arguments(full_command: list[str]) -> list[str]:
    """Returns what stands behind the mark that `mark_as_python` or `mark_as_command` set.

    Whole numbers in lists and objects are written as Kubeflow writes them: `[1]`, and not `[1.0]`. protobuf has one
    type of number, and kfp.local restores the type of plain parameters only.
    """
    arguments = full_command[1:]
    for place, word in enumerate(arguments[:-1]):
        if word == "--executor_input":
            arguments[place + 1] = _with_whole_numbers(arguments[place + 1])
    return arguments


def _with_whole_numbers(text: str) -> str:
    executor_input = json.loads(text)
    values = executor_input.get("inputs", {}).get("parameterValues", {})
    values.update({name: _whole(value) for name, value in values.items() if isinstance(value, list | dict)})
    return json.dumps(executor_input)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {name: _whole(item) for name, item in value.items()} if isinstance(value, dict) else value


def resolve_inputs(inputs: Any, io_store: Any) -> dict[str, Any]:
    """Returns a task's arguments by name: parameters, artifacts and lists of artifacts.

    What does not resolve is left out: the task itself will say so.
    """
    resolved: dict[str, Any] = {}
    for kind in ("parameters", "artifacts"):
        for name in getattr(inputs, kind):
            single = pipeline_spec_pb2.TaskInputsSpec()
            getattr(single, kind)[name].CopyFrom(getattr(inputs, kind)[name])
            try:
                resolved.update(OrchestratorUtils.make_task_arguments(single, io_store))
            except (ValueError, KeyError):
                continue
    return resolved


def run_graph(
    spec: Any,
    executors: Mapping[str, Any],
    parameters: Mapping[str, Any],
    observer: Observer,
    *,
    run_id: str,
    job_name: str,
    root: str,
) -> Outcome:
    """Runs a pipeline to its end and returns its outputs and status.

    Args:
        spec: a PipelineSpec message.
        executors: its executors by label.
        parameters: the root's arguments; defaults are filled in.
        observer: hears of everything, on several threads.
        run_id: what a step gets for the pipeline job's id.
        job_name: what a step gets for the pipeline job's name.
        root: a local folder, which kfp.local wants for itself.
    """
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner=runner, pipeline_root=root, workspace_root=f"{root}/workspace", raise_on_error=False)
    _install(observer)
    outcome: Outcome = orchestrator.run_enhanced_dag(
        pipeline_resource_name=job_name,
        dag_component_spec=spec.root,
        executors=dict(executors),
        components=dict(spec.components.items()),
        dag_arguments=dict(parameters),
        pipeline_root=root,
        runner=runner,
        unique_pipeline_id=run_id,
        fail_stack=[],
    )
    return outcome


def _install(observer: Observer) -> None:
    _install_tasks(observer)
    _install_control_flow(observer)
    run_importer = importer_handler.run_importer

    def importer(**call: Any) -> Outcome:
        outputs, status = run_importer(**call)
        observer.imported(outputs)
        return outputs, status

    def process(full_command: list[str], env_vars: Mapping[str, str] | None = None) -> int:
        return observer.process(step_arguments(full_command), env_vars or {})

    importer_handler.run_importer = importer
    subprocess_task_handler.run_local_subprocess = process
    # It would replace the text "python3" in parameter values too; the interpreter is chosen by the observer.
    subprocess_task_handler.replace_python_executable = lambda full_command, _executable: full_command
    executor_input_utils.construct_local_task_root = lambda **_call: observer.task_root()


def _install_tasks(observer: Observer) -> None:
    execute_task, execute_single_task = orchestrator.execute_task, task_executor.execute_single_task

    def task(**call: Any) -> Outcome:
        return observer.task(call, lambda: execute_task(**call))

    def step(**call: Any) -> Outcome:
        return observer.step(call, lambda: execute_single_task(**call))

    OrchestratorUtils.get_dag_output_artifacts = staticmethod(_output_artifacts)
    orchestrator.execute_task = task
    task_executor.execute_single_task = step


def _output_artifacts(dag_outputs_spec: Any, io_store: Any) -> dict[str, Any]:
    """Returns a graph's output artifacts; of `dsl.OneOf`, which kfp.local refuses, that of the branch that ran."""
    outputs = {}
    for name, spec in dag_outputs_spec.artifacts.items():
        for selector in spec.artifact_selectors:
            try:
                outputs[name] = io_store.get_task_output(selector.producer_subtask, selector.output_artifact_key)
            except (ValueError, KeyError):
                continue
    return outputs


def _install_control_flow(observer: Observer) -> None:
    run_loop = orchestrator._run_parallel_for_task  # noqa: SLF001
    run_iterations = orchestrator.ParallelExecutor.execute_parallel_tasks
    evaluate = orchestrator.ConditionEvaluator.evaluate_condition

    def loop(**call: Any) -> bool:
        return observer.loop(call, lambda: run_loop(**call))

    def iterations(executor: Any, tasks: list[tuple[str, Any]], **call: Any) -> Any:
        observer.loop_size(call["io_store"], loop_name(tasks[0][0]), len(tasks))
        return run_iterations(executor, tasks=tasks, **call)

    def condition(expression: str, io_store: Any) -> bool:
        is_true = bool(evaluate(expression, io_store))
        observer.condition(expression, is_true=is_true)
        return is_true

    orchestrator._run_parallel_for_task = loop  # noqa: SLF001
    orchestrator.ParallelExecutor.execute_parallel_tasks = iterations
    orchestrator.ConditionEvaluator.evaluate_condition = staticmethod(condition)


def loop_name(iteration_name: str) -> str:
    """Returns the loop's task name of one of its iterations, which kfp.local names `<loop>-iteration-<n>`."""
    return iteration_name.rpartition("-iteration-")[0]
