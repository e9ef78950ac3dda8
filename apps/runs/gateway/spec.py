"""Parses a pipeline's spec (KFP's IR): its parameters, and the tasks of each of its graphs.

Source of the format: kubeflow/pipelines, api/v2alpha1/pipeline_spec.proto, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import yaml

from apps.runs.entities import Parameter, Run, StepKind
from apps.runs.gateway.json_reading import mapping, whole

_KINDS: Final = {
    "NUMBER_INTEGER": "integer",
    "NUMBER_DOUBLE": "number",
    "STRING": "string",
    "BOOLEAN": "boolean",
    "LIST": "list",
    "STRUCT": "struct",
    # The names of 2.0 pre-releases.
    "INT": "integer",
    "DOUBLE": "number",
}
_DEEPEST: Final = 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a graph in a spec.

    Attributes:
        component: the component's definition; for a frame it contains the inner tasks.
        depends_on: task names in the same graph.
        condition: the expression that decides whether it runs; "" for none.
        artifact_type: the type that an importer imports; "" for other tasks.
        artifact_uri: the URI that an importer imports from; "" if the spec does not say.
        uri_input: the parameter of the graph that holds that URI instead; "" for none.
        reads: (input, producing task) of each artifact that comes from a task of the same graph.
    """

    name: str
    display_name: str
    kind: StepKind
    component: Mapping[str, Any]
    depends_on: tuple[str, ...]
    image: str = ""
    condition: str = ""
    artifact_type: str = ""
    artifact_uri: str = ""
    uri_input: str = ""
    reads: tuple[tuple[str, str], ...] = ()


def unwrap(spec: Any) -> dict[str, Any]:
    """Returns the IR or Workflow itself; empty if there is none.

    The API returns one of: the IR; `{"pipeline_spec": IR, "platform_spec": ...}`; a v1beta1 spec, which holds the IR as
    `pipeline_manifest` or a Workflow as `workflow_manifest`, mostly as text; or nothing.
    """
    if not isinstance(spec, dict):
        return {}
    inner = spec.get("pipeline_spec")
    if isinstance(inner, dict):
        return inner
    for name in ("pipeline_manifest", "workflow_manifest"):
        if isinstance(spec.get(name), str | dict):
            return _manifest(spec[name])
    return spec


def _manifest(found: Any) -> dict[str, Any]:
    # Twice, because a manifest may have been encoded as JSON text again on its way.
    for _ in range(2):
        if isinstance(found, str):
            found = _parsed(found)
    return found if isinstance(found, dict) else {}


def _parsed(text: str) -> Any:
    try:
        if text.lstrip()[:1] in {"{", '"'}:
            return json.loads(text)
        # The C loader is fifty times as fast. If there are several documents, the IR is the first.
        return next(yaml.load_all(text, Loader=_LOADER), None)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None


def is_ir(spec: Mapping[str, Any]) -> bool:
    """Whether this is an IR, as compiled by KFP 2."""
    return "root" in spec or "pipelineInfo" in spec


def is_workflow(spec: Mapping[str, Any]) -> bool:
    """Whether this is an Argo Workflow, as compiled by KFP 1.x, and not an IR."""
    return spec.get("kind") == "Workflow" or str(spec.get("apiVersion", "")).startswith("argoproj.io")


def pipeline_name(spec: Mapping[str, Any]) -> str:
    """Returns the name that the pipeline was compiled with; "" if the spec has none."""
    if is_workflow(spec):
        metadata = mapping(spec.get("metadata"))
        return str(metadata.get("generateName") or metadata.get("name") or "").rstrip("-")
    return str(mapping(spec.get("pipelineInfo")).get("name", ""))


def parameters(spec: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Returns the inputs of a run of this pipeline, in the spec's order."""
    if is_workflow(spec):
        return _workflow_parameters(spec)
    definitions = mapping(mapping(mapping(spec.get("root")).get("inputDefinitions")).get("parameters"))
    return tuple(_parameter(name, mapping(definition)) for name, definition in definitions.items())


def effective_parameters(run: Run) -> dict[str, Any]:
    """Returns the values that a run uses: those it was started with, and the spec's defaults for the rest."""
    defaults = {each.name: each.default for each in parameters(run.spec)}
    values = {**defaults, **run.parameters}
    return {name: value for name, value in values.items() if value is not None or name in run.parameters}


def _parameter(name: str, definition: Mapping[str, Any]) -> Parameter:
    kind = str(definition.get("parameterType") or definition.get("type") or "STRING")
    has_default = "defaultValue" in definition
    return Parameter(
        name=name,
        kind=_KINDS.get(kind, "string"),
        default=whole(definition.get("defaultValue")),
        is_required=not has_default and not definition.get("isOptional", False),
        description=str(definition.get("description", "")),
    )


def _workflow_parameters(spec: Mapping[str, Any]) -> tuple[Parameter, ...]:
    listed = mapping(mapping(spec.get("spec")).get("arguments")).get("parameters") or []
    return tuple(
        Parameter(
            name=str(item.get("name")),
            kind="string",
            default=item.get("value"),
            is_required="value" not in item,
        )
        for item in listed
        if isinstance(item, dict)
    )


def root_component(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the component that leads to all others; empty if the spec is not an IR."""
    return mapping(spec.get("root"))


def tasks(spec: Mapping[str, Any], component: Mapping[str, Any]) -> tuple[Task, ...]:
    """Returns the tasks of a component's graph, each one after the tasks it waits for.

    Empty for a container.
    """
    listed = mapping(mapping(component.get("dag")).get("tasks"))
    found = {name: _task(spec, name, mapping(body), frozenset(listed)) for name, body in listed.items()}
    sorter = TopologicalSorter({name: task.depends_on for name, task in found.items()})
    try:
        return tuple(found[name] for name in sorter.static_order())
    except CycleError:
        return tuple(found.values())


def _task(spec: Mapping[str, Any], name: str, body: Mapping[str, Any], siblings: frozenset[str]) -> Task:
    reference = str(mapping(body.get("componentRef")).get("name", ""))
    component = mapping(mapping(spec.get("components")).get(reference))
    executor = _executor(spec, component)
    importer = mapping(executor.get("importer"))
    uri, uri_input = _importer_uri(importer, body)
    return Task(
        name=name,
        display_name=str(mapping(body.get("taskInfo")).get("name") or name),
        kind=_kind(name, body, component, executor),
        component=component,
        depends_on=tuple(sorted((_producers(body.get("inputs")) | _waits_for(body)) & siblings - {name})),
        image=str(mapping(executor.get("container")).get("image", "")),
        condition=str(mapping(body.get("triggerPolicy")).get("condition", "")),
        artifact_type=str(mapping(importer.get("typeSchema")).get("schemaTitle", "")),
        artifact_uri=uri,
        uri_input=uri_input,
        reads=tuple(_reads(body)),
    )


def _importer_uri(importer: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str]:
    """Returns (URI, the graph's parameter that holds it) of an importer; at most one of them is not empty."""
    uri = mapping(importer.get("artifactUri"))
    source = mapping(mapping(mapping(body.get("inputs")).get("parameters")).get(str(uri.get("runtimeParameter", ""))))
    constant = uri.get("constant", mapping(source.get("runtimeValue")).get("constant", ""))
    return str(constant), "" if constant else str(source.get("componentInputParameter", ""))


def _reads(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for port, source in mapping(mapping(body.get("inputs")).get("artifacts")).items():
        producer = mapping(mapping(source).get("taskOutputArtifact")).get("producerTask")
        if producer:
            yield str(port), str(producer)


def _kind(name: str, body: Mapping[str, Any], component: Mapping[str, Any], executor: Mapping[str, Any]) -> StepKind:
    if "parameterIterator" in body or "artifactIterator" in body:
        return StepKind.LOOP
    if "dag" in component:
        if name.startswith("exit-handler"):
            return StepKind.EXIT_HANDLER
        is_condition = mapping(body.get("triggerPolicy")).get("condition") or name.startswith("condition")
        return StepKind.CONDITION if is_condition else StepKind.DAG
    return StepKind.IMPORTER if "importer" in executor else StepKind.CONTAINER


def _executor(spec: Mapping[str, Any], component: Mapping[str, Any]) -> Mapping[str, Any]:
    executors = mapping(mapping(spec.get("deploymentSpec")).get("executors"))
    return mapping(executors.get(str(component.get("executorLabel", ""))))


def _waits_for(body: Mapping[str, Any]) -> set[str]:
    listed = body.get("dependentTasks")
    return {str(name) for name in listed} if isinstance(listed, list) else set()


def _producers(node: Any, depth: int = 0) -> set[str]:
    """Returns every `producerTask` in a task's inputs (values, artifacts, and Collected's nested forms)."""
    if depth > _DEEPEST:
        return set()
    if isinstance(node, Mapping):
        own = {str(node["producerTask"])} if "producerTask" in node else set()
        return own.union(*(_producers(value, depth + 1) for value in node.values()))
    if isinstance(node, Sequence) and not isinstance(node, str):
        return set().union(*(_producers(value, depth + 1) for value in node)) if node else set()
    return set()
