"""Parses the templates of an Argo Workflow, as KFP 1.x compiled pipelines: their tasks and dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apps.runs.entities import State, Step, StepKind
from apps.runs.gateway.json_reading import mapping
from apps.runs.gateway.spec import Task

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_NAMED: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_LOOPS: Final = ("withItems", "withParam", "withSequence")
_DEEPEST: Final = 30
_MOST: Final = 20_000


def tasks(spec: Mapping[str, Any], template: Mapping[str, Any]) -> tuple[Task, ...]:
    """Returns the tasks of one template, in written order; empty for a container.

    Args:
        spec: the Workflow.
        template: one of its templates, or a task's `component`.
    """
    dag = mapping(template.get("dag")).get("tasks")
    if isinstance(dag, list):
        bodies = [body for body in dag if isinstance(body, Mapping)]
        names = {str(body.get("name")) for body in bodies}
        return tuple(_task(spec, body, _waits_for(body) & names) for body in bodies)
    return tuple(_steps(spec, template.get("steps")))


def _steps(spec: Mapping[str, Any], groups: Any) -> Iterator[Task]:
    """Groups run one after the other; the steps of a group run at the same time."""
    before: frozenset[str] = frozenset()
    for group in groups if isinstance(groups, list) else ():
        bodies = [body for body in (group if isinstance(group, list) else [group]) if isinstance(body, Mapping)]
        for body in bodies:
            yield _task(spec, body, before)
        before = frozenset(str(body.get("name")) for body in bodies) or before


def build_steps(spec: Mapping[str, Any]) -> tuple[Step, ...]:
    """Returns the steps of a Workflow that has not run, parents before children; the exit handler comes last."""
    body = mapping(spec.get("spec"))
    templates = _templates(spec)
    entry = str(body.get("entrypoint", ""))
    walk = _Walk(spec=spec)
    start = templates.get(entry, {})
    found = tasks(spec, start)
    if not found and start:
        found = (_task(spec, {"name": entry, "template": entry}, set()),)
    walk.add(found, "", (entry,))
    handler = str(body.get("onExit") or "")
    if handler:
        last = {task.name for task in found} - {name for task in found for name in task.depends_on}
        walk.add((_task(spec, {"name": handler, "template": handler}, last, is_exit=True),), "", (entry,))
    return tuple(walk.steps)


@dataclass(slots=True, kw_only=True)
class _Walk:
    spec: Mapping[str, Any]
    steps: list[Step] = field(default_factory=list)

    def add(self, found: tuple[Task, ...], parent_id: str, path: tuple[str, ...]) -> None:
        """Adds tasks and their inner tasks; opens a template that contains itself (1.x pipelines may recurse) once."""
        for task in found:
            if len(self.steps) >= _MOST:
                return
            own = _UNSAFE.sub("_", task.name)
            step_id = f"{parent_id}.{own}" if parent_id else own
            template = str(task.component.get("name", ""))
            inner = () if template in path or len(path) > _DEEPEST else tasks(self.spec, task.component)
            self.steps.append(
                Step(
                    id=step_id,
                    name=task.display_name,
                    task_name=task.name,
                    state=State.PENDING,
                    kind=task.kind,
                    parent_id=parent_id or None,
                    depends_on=task.depends_on,
                    image=task.image,
                    condition=task.condition,
                )
            )
            self.add(inner, step_id, (*path, template))


def _task(spec: Mapping[str, Any], body: Mapping[str, Any], before: Any, *, is_exit: bool = False) -> Task:
    name = str(body.get("name", ""))
    inline = body.get("inline")
    template = inline if isinstance(inline, Mapping) else _templates(spec).get(str(body.get("template", "")), {})
    condition = str(body.get("when") or "")
    return Task(
        name=name,
        display_name=_display_name(template) or name,
        kind=StepKind.EXIT_HANDLER if is_exit else _kind(body, template, condition),
        component=template,
        depends_on=tuple(sorted(before - {name})),
        image=str(mapping(template.get("container") or template.get("script")).get("image", "")),
        condition=condition,
    )


def _kind(body: Mapping[str, Any], template: Mapping[str, Any], condition: str) -> StepKind:
    if any(body.get(key) for key in _LOOPS):
        return StepKind.LOOP
    if "dag" in template or "steps" in template:
        return StepKind.CONDITION if condition else StepKind.DAG
    return StepKind.CONTAINER


def _display_name(template: Mapping[str, Any]) -> str:
    annotations = mapping(mapping(template.get("metadata")).get("annotations"))
    return str(annotations.get("pipelines.kubeflow.org/task_display_name") or "")


def _waits_for(body: Mapping[str, Any]) -> set[str]:
    """Returns the tasks it waits for: a list `dependencies`, or `depends`, such as `a && (b.Succeeded || c.Failed)`."""
    listed = body.get("dependencies")
    names = {str(name) for name in listed} if isinstance(listed, list) else set()
    words = re.sub(r"\.[A-Za-z]+", "", str(body.get("depends") or ""))
    return names | set(_NAMED.findall(words))


def _templates(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    listed = mapping(spec.get("spec")).get("templates")
    items = listed if isinstance(listed, list) else []
    return {str(item.get("name", "")): item for item in items if isinstance(item, Mapping)}
