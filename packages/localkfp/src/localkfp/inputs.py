"""Resolves the inputs of a task as Kubeflow's driver does, from the graph around it.

Source: kubeflow/pipelines, backend/src/v2/driver/resolve.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from kfp.pipeline_spec import pipeline_spec_pb2

from localkfp import placeholders
from localkfp.values import Artifact, TaskError, Values, python_value, text_of, typed

SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
SKIPPED: Final = "SKIPPED"
_FINAL_STATUS: Final = pipeline_spec_pb2.ParameterType.TASK_FINAL_STATUS
_SELECTOR: Final = re.compile(r'parseJson\(string_value\)((?:\["[^"]*"\]|\[\d+\])*)')
_KEY: Final = re.compile(r'\["([^"]*)"\]|\[(\d+)\]')
_CHANNEL: Final = "pipelinechannel--"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A running graph.

    Attributes:
        execution_id: of the graph.
        inputs: its inputs; a parameter without a value is None.
        outputs: the outputs of its tasks, by task.
        states: how its tasks ended, by task.
        is_root: whether it is the pipeline itself.
    """

    execution_id: int
    inputs: Values
    outputs: dict[str, Values] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    is_root: bool = False


def resolve_inputs(task: Any, component: Any, scope: Scope, facts: Mapping[str, str]) -> Values:
    """Returns the inputs of a task, including defaults.

    Args:
        task: a PipelineTaskSpec message.
        component: its ComponentSpec message.
        scope: the graph around it.
        facts: the values of placeholders such as `{{$.pipeline_job_name}}`.

    Raises:
        TaskError: an input has no value, or a value of the wrong type.
    """
    parameters = {name: parameter(name, spec, scope, facts) for name, spec in task.inputs.parameters.items()}
    # Texts with placeholders refer to other inputs of the same task.
    filled = placeholders.fill_texts(parameters, parameters)
    looped = {task.parameter_iterator.item_input, task.artifact_iterator.item_input}
    given = with_types(filled, component, scope, task, leave_out=looped)
    artifacts = {name: _artifacts(spec, scope) for name, spec in task.inputs.artifacts.items()}
    for name, declared in component.input_definitions.artifacts.items():
        if artifacts.get(name) is None and not declared.is_optional and name not in looped:
            raise TaskError(_why_missing(name, task, scope))
    return Values(parameters=given, artifacts={name: found for name, found in artifacts.items() if found is not None})


def with_types(
    given: Mapping[str, Any], component: Any, scope: Scope, task: Any, *, leave_out: AbstractSet[str] = frozenset()
) -> dict[str, Any]:
    """Returns parameters with the types and defaults that their component declares.

    Raises:
        TaskError: one has no value, or a value of the wrong type.
    """
    is_graph = component.WhichOneof("implementation") == "dag"
    values = dict(given)
    for name, declared in component.input_definitions.parameters.items():
        value = values.pop(name, None)
        if value is None and declared.HasField("default_value"):
            value = python_value(declared.default_value)
        if value is not None:
            values[name] = typed(name, value, declared)
        elif is_graph and declared.is_optional:
            values[name] = None
        elif declared.parameter_type == _FINAL_STATUS:
            raise TaskError(f"its input {name!r} is a status that only the exit task of a dsl.ExitHandler is given")
        elif not declared.is_optional and name not in leave_out:
            raise TaskError(_why_missing(name, task, scope))
    return values


def parameter(name: str, spec: Any, scope: Scope, facts: Mapping[str, str]) -> Any:
    """Returns one parameter of a task; None if it has no value.

    Args:
        name: for messages.
        spec: an InputParameterSpec message.
        scope: the graph around the task.
        facts: the values of placeholders such as `{{$.pipeline_job_name}}`.
    """
    match spec.WhichOneof("kind"):
        case "runtime_value":
            value = placeholders.fill_facts(python_value(spec.runtime_value.constant), facts)
        case "task_output_parameter":
            made = scope.outputs.get(spec.task_output_parameter.producer_task, Values())
            value = made.parameters.get(spec.task_output_parameter.output_parameter_key)
        case "component_input_parameter":
            value = scope.inputs.parameters.get(spec.component_input_parameter)
        case "task_final_status":
            return _final_status(spec.task_final_status.producer_task, scope, facts)
        case _:
            value = None
    if spec.parameter_expression_selector and value is not None:
        return _selected(name, value, spec.parameter_expression_selector)
    return value


def _artifacts(spec: Any, scope: Scope) -> list[Artifact] | None:
    if spec.WhichOneof("kind") == "component_input_artifact":
        return scope.inputs.artifacts.get(spec.component_input_artifact)
    made = scope.outputs.get(spec.task_output_artifact.producer_task, Values())
    return made.artifacts.get(spec.task_output_artifact.output_artifact_key)


def _final_status(producer: str, scope: Scope, facts: Mapping[str, str]) -> dict[str, Any]:
    is_failed = scope.states.get(producer) == FAILED
    error = {"code": 1, "message": f"Task {producer} failed."} if is_failed else {}
    return {
        # Kubeflow uses the state of the execution here, and not SUCCEEDED, which kfp's documentation names.
        "state": "FAILED" if is_failed else "COMPLETE",
        "pipelineJobResourceName": facts["pipeline_job_resource_name"],
        "pipelineTaskName": producer,
        "error": error,
    }


def _selected(name: str, value: Any, selector: str) -> Any:
    match = _SELECTOR.fullmatch(selector)
    if match is None:
        raise TaskError(f"its input {name!r} is selected by {selector}, which is not supported")
    try:
        found = json.loads(text_of(value))
        for key, index in _KEY.findall(match[1]):
            found = found[int(index)] if index else found[key]
    except (ValueError, LookupError, TypeError) as error:
        raise TaskError(f"its input {name!r} is {match[1]} of {text_of(value):.100}, which has no such part") from error
    return found


def _why_missing(name: str, task: Any, scope: Scope) -> str:
    kind = "artifacts" if name in task.inputs.artifacts else "parameters"
    if name not in getattr(task.inputs, kind):
        return f"its input {name!r} was given no value, and has no default"
    spec = getattr(task.inputs, kind)[name]
    source = spec.task_output_artifact if kind == "artifacts" else spec.task_output_parameter
    if source.producer_task:
        return f"its input {_shown(name)!r} comes from task {source.producer_task}, {_ending(source, scope)}"
    if kind == "artifacts" and scope.is_root:
        missing = (
            f"its input {name!r} is an artifact that the run would have to be given, and runs take parameters only"
        )
        return f"{missing}: load it with dsl.importer"
    return f"its input {_shown(name)!r} was given no value by the pipeline around it, and has no default"


def _ending(source: Any, scope: Scope) -> str:
    state = scope.states.get(source.producer_task)
    if state != SUCCEEDED:
        return "which was skipped" if state == SKIPPED else "which failed"
    key = getattr(source, "output_artifact_key", "") or getattr(source, "output_parameter_key", "")
    return f"which made no {_shown(key)!r}"


def _shown(name: str) -> str:
    return name.removeprefix(_CHANNEL)
