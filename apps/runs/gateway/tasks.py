"""Reads a run's lineage from its tasks, which Kubeflow's coming API returns with the run itself.

`GET runs/{id}?view=FULL` answers with `tasks[]`; `GET runs/{id}/tasks` pages through them if there are many. The format
is that of Kubeflow's accepted change 12147 (its development branch; names may still change). Tasks are converted to
executions, so that all later code is the same for both sources of lineage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from apps.runs import exceptions
from apps.runs.entities import Artifact
from apps.runs.gateway import convert
from apps.runs.gateway.json_reading import JsonObject, json_object, json_objects, text, whole, whole_number
from apps.runs.gateway.lineage import Execution

FULL: Final = (("view", "FULL"),)
_PAGE: Final = 200
_MOST_PAGES: Final = 100
_STATES: Final = {
    "RUNNING": "RUNNING",
    "SUCCEEDED": "COMPLETE",
    "SKIPPED": "CANCELED",
    "FAILED": "FAILED",
    "CACHED": "CACHED",
}
_FRAMES: Final = frozenset({"ROOT", "CONDITION_BRANCH", "CONDITION", "LOOP", "EXIT_HANDLER", "DAG"})
_ARTIFACT_TYPES: Final = {
    "Metric": "system.Metrics",
    "ClassificationMetric": "system.ClassificationMetrics",
    "SlicedClassificationMetric": "system.SlicedClassificationMetrics",
}


def has_tasks(model: JsonObject) -> bool:
    """Whether the run's answer lists its tasks, as only servers with the task API do.

    They omit empty lists and zero counts, so a run that was just created has neither (see `may_have_tasks`).
    """
    return (
        isinstance(model.tasks, list)
        or model.task_count is not None
        or isinstance(model.pipeline_reference, JsonObject)
    )


def may_have_tasks(model: JsonObject) -> bool:
    """Whether the answer leaves open which kind of server gave it: older ones list a run's nodes once it executes."""
    return not json_objects(json_object(model.run_details).task_details)


def knows_tasks(client: Any, run_id: str) -> bool:
    """Asks whether the server has the task API, by reading the first page of an existing run.

    Raises:
        RunsError: no answer.
    """
    try:
        _get(client, f"/apis/v2beta1/runs/{quote(run_id, safe='')}/tasks", (("page_size", "1"),))
    except (exceptions.NotFoundError, exceptions.InvalidRequestError):
        return False
    return True


def read_run(client: Any, run_id: str, *, is_full: bool) -> JsonObject:
    """Returns a run's answer, with its tasks if the server supports that.

    Args:
        client: the kfp client, for its transport and credentials: its own call does not support `view`.
        run_id: the run.
        is_full: whether to ask for the tasks.

    Raises:
        RunsError: no answer, or a refusal.
    """
    return _get(client, f"/apis/v2beta1/runs/{quote(run_id, safe='')}", FULL if is_full else ())


def read_executions(client: Any, run_id: str, model: JsonObject) -> tuple[Execution, ...]:
    """Returns a run's tasks as executions; reads the pages that the run's own answer omitted.

    Raises:
        RunsError: no answer, or a refusal.
    """
    rows = json_objects(model.tasks)
    if (whole_number(model.task_count) or 0) > len(rows):
        rows = list(_pages(client, run_id))
    return executions(rows)


def _pages(client: Any, run_id: str) -> Iterator[JsonObject]:
    token = ""
    for _ in range(_MOST_PAGES):
        query = (("page_size", str(_PAGE)), *((("page_token", token),) if token else ()))
        answer = _get(client, f"/apis/v2beta1/runs/{quote(run_id, safe='')}/tasks", query)
        yield from json_objects(answer.tasks)
        token = text(answer.next_page_token)
        if not token:
            return


def _get(client: Any, path: str, query: Sequence[tuple[str, str]]) -> JsonObject:
    answer = client._run_api.api_client.call_api(  # noqa: SLF001  # all of its APIs share this one
        path,
        "GET",
        query_params=list(query),
        header_params={"Accept": "application/json"},
        response_type="object",
        auth_settings=["Bearer"],
        _return_http_data_only=True,
    )
    if not isinstance(answer, JsonObject):
        raise exceptions.EndpointError("Kubeflow answered with nothing where a run was expected.")
    return answer


def executions(rows: Iterable[JsonObject]) -> tuple[Execution, ...]:
    """Returns tasks as executions, oldest first: of several attempts at a task, the newest counts."""
    listed = [row for row in rows if text(row.task_id)]
    listed.sort(key=lambda row: text(row.create_time))
    numbers = {text(row.task_id): number for number, row in enumerate(listed, 1)}
    by_path = {text(row.scope_path): text(row.task_id) for row in listed if text(row.scope_path)}
    kinds = {text(row.task_id): text(row.type) for row in listed}
    names = {text(row.task_id): text(row.name) for row in listed}
    frames: dict[tuple[str, int], int] = {}
    made = []
    for row in listed:
        above = text(row.parent_task_id) or by_path.get(text(row.scope_path).rpartition(".")[0], "")
        index = whole_number(json_object(row.type_attributes).iteration_index)
        parent = numbers.get(above)
        is_iteration = kinds.get(above) == "LOOP" and index is not None
        if is_iteration and index is not None and not (text(row.name) == names[above] and text(row.type) in _FRAMES):
            # An iteration with a single task has no frame of its own here, but all later code expects one.
            parent = frames.setdefault((above, index), len(listed) + len(frames) + 1)
            index = None
        made.append(_execution(row, numbers[text(row.task_id)], parent, index))
    return (*made, *(_frame(numbers[loop], names[loop], index, own) for (loop, index), own in frames.items()))


def _frame(loop: int, name: str, index: int, own: int) -> Execution:
    properties = {"task_name": name, "parent_dag_id": loop, "iteration_index": index}
    return Execution(
        id=own, type="system.DAGExecution", state="RUNNING", created_at=None, updated_at=None, properties=properties
    )


def _execution(row: JsonObject, number: int, parent: int | None, index: int | None) -> Execution:
    kind = text(row.type)
    count = whole_number(json_object(row.type_attributes).iteration_count)
    inputs, outputs = json_object(row.inputs), json_object(row.outputs)
    properties: dict[str, Any] = {
        "task_name": "" if kind == "ROOT" else text(row.name),
        "display_name": text(row.display_name) or text(row.name),
        "inputs": _parameters(inputs),
        "outputs": _parameters(outputs),
        "pod_name": _pod_name(row),
        "task_type": kind,
        "producers": _producers(inputs),
    }
    found = {"parent_dag_id": parent, "iteration_index": index, "iteration_count": count}
    properties |= {name: value for name, value in found.items() if value is not None}
    is_worker = kind not in _FRAMES
    worker = "system.ImporterExecution" if kind == "IMPORTER" else "system.ContainerExecution"
    return Execution(
        id=number,
        type=worker if is_worker else "system.DAGExecution",
        state=_STATES.get(text(row.state), "NEW"),
        created_at=convert.moment(row.start_time) or convert.moment(row.create_time),
        updated_at=convert.moment(row.end_time),
        properties=properties,
        artifacts=(*_artifacts(inputs, "input"), *_artifacts(outputs, "output")),
        error=_error(row),
    )


def _error(row: JsonObject) -> str:
    """Returns why a task failed: its own message, or the newest one in its history."""
    history = [text(json_object(entry.error).message) for entry in json_objects(row.state_history)]
    return text(json_object(row.status_metadata).message) or next(filter(None, reversed(history)), "")


def _producers(inputs: JsonObject) -> tuple[str, ...]:
    """Returns the names of the tasks that produce a task's inputs."""
    # The list is read unconverted, because a parameter's value is people's own JSON.
    rows = inputs.parameters if isinstance(inputs.parameters, list) else []
    ports = [*(JsonObject(row) for row in rows if isinstance(row, dict)), *json_objects(inputs.artifacts)]
    names = (text(json_object(port.producer).task_name) for port in ports)
    return tuple(dict.fromkeys(filter(None, names)))


def _pod_name(row: JsonObject) -> str:
    pods = defaultdict(str, {text(pod.type): text(pod.name) for pod in json_objects(row.pods)})
    return pods["EXECUTOR"] or pods["DRIVER"]


def _parameters(ports: JsonObject) -> dict[str, Any]:
    # Parameters elsewhere are people's own JSON, so a row returns them unconverted.
    listed = ports.parameters if isinstance(ports.parameters, list) else []
    rows = [JsonObject(item) for item in listed if isinstance(item, dict)]
    return {text(row.parameter_key): whole(row.value) for row in rows if text(row.parameter_key)}


def _artifacts(ports: JsonObject, direction: str) -> Iterator[Artifact]:
    for port in json_objects(ports.artifacts):
        key = text(port.artifact_key)
        metrics: list[Artifact] = []
        for row in json_objects(port.artifacts):
            made = _artifact(row, key, direction)
            if text(row.type) != "Metric":
                yield made
            elif metrics and not made.metadata.keys() & metrics[-1].metadata.keys():
                # One `Output[Metrics]` arrives as one artifact for each of its numbers.
                metrics[-1] = replace(metrics[-1], metadata={**metrics[-1].metadata, **made.metadata})
            else:
                metrics.append(made)
        yield from metrics


def _artifact(row: JsonObject, key: str, direction: str) -> Artifact:
    kind, name = text(row.type) or "Artifact", text(row.name)
    metadata: Mapping[str, Any] = row.metadata if isinstance(row.metadata, dict) else {}
    number = row.number_value
    if kind == "Metric" and isinstance(number, int | float) and not isinstance(number, bool):
        metadata = {**metadata, (name or key or "value"): number}
    return Artifact(
        id=text(row.artifact_id) or key,
        name=key or name,
        type=_ARTIFACT_TYPES.get(kind, kind if "." in kind else f"system.{kind}"),
        uri=text(row.uri),
        direction=direction,
        display_name=(key if kind == "Metric" else name) or name or key,
        metadata=whole(dict(metadata)),
        created_at=convert.moment(row.created_at),
    )
