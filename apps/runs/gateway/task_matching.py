"""Finds the task of a graph that each execution belongs to.

The driver writes a task's key in the spec as `task_name`. The launcher, which writes the execution of an importer, uses
the task's *display name* instead (kubeflow/pipelines, backend/src/v2/component/importer_launcher.go), and several
importers may share one. Importers with equal names are distinguished by what they imported and by who read it;
docs/gateway.md documents the order. Two tasks are never merged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from apps.runs.entities import StepKind
from apps.runs.gateway.lineage import Execution
from apps.runs.gateway.spec import Task

IMPORTERS: Final = frozenset({"system.ImporterExecution", "system.ImporterWorkspaceExecution"})
_Rows = dict[str, list[Execution]]


def match_tasks(tasks: Sequence[Task], rows: Iterable[Execution], inputs: Mapping[str, Any]) -> tuple[_Rows, _Rows]:
    """Returns the executions of each task by its key in the spec, and those of tasks that the spec does not contain.

    Args:
        tasks: one graph's.
        rows: the executions in that graph.
        inputs: the graph's own input parameters by name, from its execution.
    """
    keys = {task.name for task in tasks}
    importers = {task.name: task for task in tasks if task.kind is StepKind.IMPORTER}
    found: _Rows = defaultdict(list)
    others: _Rows = defaultdict(list)
    imports = []
    for row in rows:
        if row.type in IMPORTERS and importers:
            imports.append(row)
        else:
            (found if row.task_name in keys else others)[row.task_name].append(row)
    for row, name in _match_imports(sorted(imports, key=lambda row: row.id), importers, found, tasks, inputs):
        (found if name in keys else others)[name].append(row)
    return found, others


def _match_imports(
    imports: Sequence[Execution],
    importers: Mapping[str, Task],
    found: Mapping[str, Sequence[Execution]],
    tasks: Sequence[Task],
    inputs: Mapping[str, Any],
) -> Iterable[tuple[Execution, str]]:
    """Yields every import with its task's key, or with its own name if no task matches."""
    readers = _readers(tasks, found)
    alike: dict[tuple[str, ...], list[Execution]] = defaultdict(list)
    for row in imports:
        alike[_meant(row, importers, inputs, readers)].append(row)
    # Imports with only one possible task are placed first; the others share the remaining tasks.
    taken = {names[0] for names in alike if len(names) == 1}
    for names, rows in sorted(alike.items(), key=lambda item: len(item[0])):
        free = [name for name in names if name not in taken] or list(names)
        yield from _shared_out(rows, free)
        taken.update(free[: len(rows)])


def _meant(
    row: Execution, importers: Mapping[str, Task], inputs: Mapping[str, Any], readers: Mapping[str, set[str]]
) -> tuple[str, ...]:
    """Returns the importers that can have written the row, judging by its name, URI, type and readers."""
    uris = {own.uri for own in row.artifacts}
    types = {own.type for own in row.artifacts}
    ids = {own.id for own in row.artifacts}
    names = _named(row, importers)
    names = _narrowed(names, lambda name: _uri(importers[name], inputs) in uris)
    names = _narrowed(names, lambda name: importers[name].artifact_type in types)
    return _narrowed(names, lambda name: not ids.isdisjoint(readers[name]))


def _named(row: Execution, importers: Mapping[str, Task]) -> tuple[str, ...]:
    """Returns the importers that the row's name can refer to.

    If the row also has a display name, its `task_name` is the key: task APIs and other writers set both.
    """
    if row.properties.get("display_name") and row.task_name in importers:
        return (row.task_name,)
    shown = tuple(name for name, task in importers.items() if task.display_name == row.task_name)
    return shown or ((row.task_name,) if row.task_name in importers else ())


def _narrowed(names: tuple[str, ...], is_meant: Callable[[str], bool]) -> tuple[str, ...]:
    """Returns the names that `is_meant` accepts; all of them if it accepts none, or if there is only one."""
    return (tuple(filter(is_meant, names)) or names) if len(names) > 1 else names


def _uri(task: Task, inputs: Mapping[str, Any]) -> Any:
    return inputs.get(task.uri_input) if task.uri_input else task.artifact_uri or None


def _readers(tasks: Sequence[Task], found: Mapping[str, Sequence[Execution]]) -> Mapping[str, set[str]]:
    """Returns by importer key the ids of the artifacts that other tasks of the graph read from it."""
    ids: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        for port, producer in task.reads:
            for row in found.get(task.name, ()):
                ids[producer].update(own.id for own in row.artifacts if (own.name, own.direction) == (port, "input"))
    return ids


def _shared_out(rows: Sequence[Execution], names: Sequence[str]) -> Iterable[tuple[Execution, str]]:
    """Assigns indistinguishable rows to indistinguishable tasks, in their order.

    If there are more rows than tasks, a failed attempt is assigned to the same task as the next row.
    """
    place, spare = 0, len(rows) - len(names)
    for row in rows:
        yield row, names[place] if names else row.task_name
        if row.state == "FAILED" and spare > 0:
            spare -= 1
        else:
            place = min(place + 1, len(names) - 1)
