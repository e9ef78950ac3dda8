"""Finds out which task of a graph each execution belongs to.

The driver writes a task's key in the spec as `task_name`. An importer is written by the launcher instead, which writes
the task's *display name* there (kubeflow/pipelines, backend/src/v2/component/importer_launcher.go), and several
importers may share one. Whatever is the same for both is told apart by what they imported, and by who read it; the
order is documented in docs/gateway.md. Two tasks are never merged.
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
    """Returns the executions of each task by its key in the spec, and those of tasks that the spec does not have.

    Args:
        tasks: one graph's.
        rows: the executions in that graph.
        inputs: the graph's own input parameters by name, as its execution has them.
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
    """Yields every import with its task's key, or with its own name where no task can be meant."""
    readers = _readers(tasks, found)
    alike: dict[tuple[str, ...], list[Execution]] = defaultdict(list)
    for row in imports:
        alike[_meant(row, importers, inputs, readers)].append(row)
    # Those that only one task can be are placed first, so that the rest is shared among what is left.
    taken = {names[0] for names in alike if len(names) == 1}
    for names, rows in sorted(alike.items(), key=lambda item: len(item[0])):
        free = [name for name in names if name not in taken] or list(names)
        yield from _shared_out(rows, free)
        taken.update(free[: len(rows)])


def _meant(
    row: Execution, importers: Mapping[str, Task], inputs: Mapping[str, Any], readers: Mapping[str, set[str]]
) -> tuple[str, ...]:
    """Returns the importers that wrote the row, as far as its name, URI, type and readers tell."""
    uris = {own.uri for own in row.artifacts}
    types = {own.type for own in row.artifacts}
    ids = {own.id for own in row.artifacts}
    names = _named(row, importers)
    names = _narrowed(names, lambda name: _uri(importers[name], inputs) in uris)
    names = _narrowed(names, lambda name: importers[name].artifact_type in types)
    return _narrowed(names, lambda name: not ids.isdisjoint(readers[name]))


def _named(row: Execution, importers: Mapping[str, Task]) -> tuple[str, ...]:
    """Returns the importers that the row's name can mean.

    A display name beside it says that `task_name` is the key: task APIs and other writers have both.
    """
    if row.properties.get("display_name") and row.task_name in importers:
        return (row.task_name,)
    shown = tuple(name for name, task in importers.items() if task.display_name == row.task_name)
    return shown or ((row.task_name,) if row.task_name in importers else ())


def _narrowed(names: tuple[str, ...], is_meant: Callable[[str], bool]) -> tuple[str, ...]:
    """Returns the names that `is_meant` accepts; all of them where it accepts none, or nothing is left to decide."""
    return (tuple(filter(is_meant, names)) or names) if len(names) > 1 else names


def _uri(task: Task, inputs: Mapping[str, Any]) -> Any:
    return inputs.get(task.uri_input) if task.uri_input else task.artifact_uri or None


def _readers(tasks: Sequence[Task], found: Mapping[str, Sequence[Execution]]) -> Mapping[str, set[str]]:
    """Returns, by the importer's key, the ids of the artifacts that other tasks of the graph read from it."""
    ids: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        for port, producer in task.reads:
            for row in found.get(task.name, ()):
                ids[producer].update(own.id for own in row.artifacts if (own.name, own.direction) == (port, "input"))
    return ids


def _shared_out(rows: Sequence[Execution], names: Sequence[str]) -> Iterable[tuple[Execution, str]]:
    """Gives rows that nothing tells apart to tasks that nothing tells apart, in their order.

    A try that failed stays with the one that follows it, where there are more rows than tasks.
    """
    place, spare = 0, len(rows) - len(names)
    for row in rows:
        yield row, names[place] if names else row.task_name
        if row.state == "FAILED" and spare > 0:
            spare -= 1
        else:
            place = min(place + 1, len(names) - 1)
