"""A pipeline's spec as steps that have not run, for its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from apps.runs.entities import Artifact, Run, State, Step
from apps.runs.gateway import lineage_tree, workflow_spec
from apps.runs.gateway import spec as specs
from apps.runs.gateway.json_reading import mapping

_DEEPEST: Final = 30


def spec_steps(spec: Mapping[str, Any]) -> tuple[Step, ...]:
    """Returns the steps of an IR or a 1.x Workflow that has not run, all of them pending.

    The ids of artifacts are derived from their places: the writer and the readers of an artifact have the same id.
    """
    if specs.is_workflow(spec):
        return workflow_spec.build_steps(spec)
    steps = lineage_tree.build_steps(Run(id="", name="", state=State.PENDING, spec=spec), ())
    return _with_artifacts(steps, spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A task in its graph: its definition, its component's, and the artifacts that its frame was given, by name."""

    step: Step
    body: Mapping[str, Any]
    component: Mapping[str, Any]


def _with_artifacts(steps: Sequence[Step], spec: Mapping[str, Any]) -> tuple[Step, ...]:
    places = {place.step.id: place for place in _places(steps, spec)}
    by_name = {(step.parent_id, step.task_name): step.id for step in steps}
    reader = _Reader(places=places, by_name=by_name)
    return tuple(
        replace(step, artifacts=(*reader.inputs(step.id), *reader.outputs(step.id))) if step.id in places else step
        for step in steps
    )


def _places(steps: Sequence[Step], spec: Mapping[str, Any]) -> Iterator[_Place]:
    components = mapping(spec.get("components"))
    inside: dict[str | None, Mapping[str, Any]] = {None: specs.root_component(spec)}
    for step in steps:
        body = mapping(mapping(mapping(inside.get(step.parent_id, {}).get("dag")).get("tasks")).get(step.task_name))
        component = mapping(components.get(str(mapping(body.get("componentRef")).get("name", ""))))
        inside[step.id] = component
        yield _Place(step=step, body=body, component=component)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    places: Mapping[str, _Place]
    by_name: Mapping[tuple[str | None, str], str]

    def outputs(self, step_id: str) -> Iterator[Artifact]:
        """Yields the artifacts that the step itself writes; a frame only passes artifacts on."""
        component = self.places[step_id].component
        if "dag" in component:
            return
        for key, kind in _definitions(component, "outputDefinitions"):
            yield _artifact(f"{step_id}/{key}", key, kind, "output")

    def inputs(self, step_id: str) -> Iterator[Artifact]:
        """Yields the artifacts of other steps that the step reads."""
        component = self.places[step_id].component
        if "dag" in component:
            return
        kinds = dict(_definitions(component, "inputDefinitions"))
        for key in mapping(mapping(self.places[step_id].body.get("inputs")).get("artifacts")):
            for source in self._given(step_id, key, 0):
                yield _artifact(source, key, kinds.get(key, "system.Artifact"), "input")

    def _given(self, step_id: str, key: str, depth: int) -> Iterator[str]:
        """Yields the artifacts that an input is given, written by a sibling step or by one outside the frame."""
        place = self.places.get(step_id)
        if place is None or depth > _DEEPEST:
            return
        given = mapping(mapping(mapping(place.body.get("inputs")).get("artifacts")).get(key))
        made = mapping(given.get("taskOutputArtifact"))
        if made:
            sibling = self.by_name.get((place.step.parent_id, str(made.get("producerTask", ""))), "")
            yield from self._made(sibling, str(made.get("outputArtifactKey", "")), depth + 1)
        elif given.get("componentInputArtifact") and place.step.parent_id:
            yield from self._given(place.step.parent_id, str(given["componentInputArtifact"]), depth + 1)

    def _made(self, step_id: str, key: str, depth: int) -> Iterator[str]:
        """Yields the artifacts of an output, written by the step itself or by a step in the frame that passes it on."""
        place = self.places.get(step_id)
        if place is None or depth > _DEEPEST:
            return
        if "dag" not in place.component:
            yield f"{step_id}/{key}"
            return
        outputs = mapping(mapping(mapping(place.component["dag"]).get("outputs")).get("artifacts"))
        selectors = mapping(outputs.get(key)).get("artifactSelectors")
        for selector in selectors if isinstance(selectors, list) else ():
            inner = self.by_name.get((step_id, str(mapping(selector).get("producerSubtask", ""))), "")
            yield from self._made(inner, str(mapping(selector).get("outputArtifactKey", "")), depth + 1)


def _definitions(component: Mapping[str, Any], ports: str) -> Iterator[tuple[str, str]]:
    for key, definition in mapping(mapping(component.get(ports)).get("artifacts")).items():
        kind = mapping(mapping(definition).get("artifactType"))
        yield str(key), str(kind.get("schemaTitle") or kind.get("instanceSchema") or "system.Artifact")


def _artifact(artifact_id: str, name: str, kind: str, direction: str) -> Artifact:
    return Artifact(id=artifact_id, name=name, type=kind, uri="", direction=direction)
