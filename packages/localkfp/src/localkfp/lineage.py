"""ML Metadata's six read calls over gRPC-Web, answered from the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from google.protobuf.message import DecodeError
from mlmd import grpc_web, messages

from localkfp.store import Row, Store

_RUN_CONTEXT: Final = "system.PipelineRun"
_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20
_TYPE_NAMES: Final = (
    "system.Artifact",
    "system.Dataset",
    "system.Model",
    "system.Metrics",
    "system.ClassificationMetrics",
    "system.SlicedClassificationMetrics",
    "system.HTML",
    "system.Markdown",
)
# Kubeflow writes these as ML Metadata integers, and cached_execution_id as a string.
_INTEGERS: Final = frozenset({"parent_dag_id", "iteration_index", "iteration_count"})
INVALID_ARGUMENT: Final = 3
UNIMPLEMENTED: Final = 12


def answer(store: Store, method: str, body: bytes) -> bytes:
    """Returns the gRPC-Web body of the answer to a call; for a failed call, a trailer with its status."""
    handler = _METHODS.get(method)
    if handler is None:
        return grpc_web.encode_status(UNIMPLEMENTED, f"{method} is not among the calls this server knows")
    try:
        request = grpc_web.decode_request(body, messages.message_class(f"{method}Request"))
    except (grpc_web.GrpcWebError, DecodeError) as error:
        return grpc_web.encode_status(INVALID_ARGUMENT, str(error))
    response = messages.message_class(f"{method}Response")()
    try:
        handler(store, request, response)
    except ValueError as error:
        return grpc_web.encode_status(INVALID_ARGUMENT, str(error))
    return grpc_web.encode_response(response)


def _context(store: Store, request: Any, response: Any) -> None:
    """Gives unknown names an empty response instead of an error, like the real store."""
    row = store.one("SELECT number, id FROM runs WHERE id = ?", request.context_name)
    if row is None or request.type_name != _RUN_CONTEXT:
        return
    response.context.id = row["number"]
    response.context.name = row["id"]
    response.context.type = _RUN_CONTEXT


def _executions(store: Store, request: Any, response: Any) -> None:
    sql = "SELECT e.* FROM executions e JOIN runs r ON r.id = e.run_id WHERE r.number = ? AND e.id > ? ORDER BY e.id"
    rows, token = _page(store, sql, request)
    response.executions.extend(_execution(row) for row in rows)
    response.next_page_token = token


def _artifacts_of_context(store: Store, request: Any, response: Any) -> None:
    sql = "SELECT a.* FROM artifacts a JOIN runs r ON r.id = a.run_id WHERE r.number = ? AND a.id > ? ORDER BY a.id"
    rows, token = _page(store, sql, request)
    types = _types(store)
    response.artifacts.extend(_artifact(row, types) for row in rows)
    response.next_page_token = token


def _events(store: Store, request: Any, response: Any) -> None:
    rows = _by_ids(store, "events", "execution_id", request.execution_ids, "rowid")
    for row in rows:
        event = response.events.add(
            artifact_id=row["artifact_id"],
            execution_id=row["execution_id"],
            type=row["type"],
            milliseconds_since_epoch=row["at_ms"],
        )
        event.path.steps.add(key=row["key"])


def _artifacts(store: Store, request: Any, response: Any) -> None:
    types = _types(store)
    rows = _by_ids(store, "artifacts", "id", request.artifact_ids, "id")
    response.artifacts.extend(_artifact(row, types) for row in rows)


def _artifact_types(store: Store, _request: Any, response: Any) -> None:
    for name, number in _types(store).items():
        response.artifact_types.add(id=number, name=name)


_METHODS: Final[dict[str, Callable[[Store, Any, Any], None]]] = {
    "GetContextByTypeAndName": _context,
    "GetExecutionsByContext": _executions,
    "GetEventsByExecutionIDs": _events,
    "GetArtifactsByID": _artifacts,
    "GetArtifactTypes": _artifact_types,
    "GetArtifactsByContext": _artifacts_of_context,
}


def _page(store: Store, sql: str, request: Any) -> tuple[list[Row], str]:
    options = request.options
    size = min(options.max_result_size or _DEFAULT_PAGE, _PAGE) if request.HasField("options") else _PAGE
    after = int(options.next_page_token or 0)
    rows = store.all(f"{sql} LIMIT ?", request.context_id, after, size + 1)
    more = len(rows) > size
    return rows[:size], str(rows[size - 1]["id"]) if more else ""


def _by_ids(store: Store, table: str, column: str, ids: Iterable[int], order: str) -> list[Row]:
    wanted = json.dumps(list(ids))
    sql = f"SELECT * FROM {table} WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY {order}"  # noqa: S608
    return store.all(sql, wanted)


def _types(store: Store) -> dict[str, int]:
    found = (row["type"] for row in store.all("SELECT DISTINCT type FROM artifacts ORDER BY type"))
    names = dict.fromkeys((*_TYPE_NAMES, *found))
    return {name: number for number, name in enumerate(names, start=11)}


def _execution(row: Row) -> Any:
    message = messages.message_class("Execution")(
        id=row["id"],
        type=row["type"],
        last_known_state=row["state"],
        name=f"run/{row['run_id']}" if not row["task_name"] else f"run/{row['run_id']}/{row['id']}",
        create_time_since_epoch=row["created_ms"],
        last_update_time_since_epoch=row["updated_ms"],
    )
    for name, value in json.loads(row["properties"]).items():
        target = message.custom_properties[name]
        if name in _INTEGERS:
            target.int_value = int(value)
        elif isinstance(value, dict):
            target.struct_value.SetInParent()  # an empty struct is written, too
            target.struct_value.update(value)
        else:
            target.string_value = str(value)
    return message


def _artifact(row: Row, types: dict[str, int]) -> Any:
    message = messages.message_class("Artifact")(
        id=row["id"],
        type_id=types[row["type"]],
        type=row["type"],
        uri=row["uri"],
        state=2,  # LIVE
        create_time_since_epoch=row["created_ms"],
        last_update_time_since_epoch=row["created_ms"],
    )
    for name, value in json.loads(row["metadata"]).items():
        _set_metadata(message.custom_properties[name], value)
    return message


def _set_metadata(target: Any, value: Any) -> None:
    """Writes a metadata value as Kubeflow's launcher does: numbers as doubles, bools as 0/1, the rest wrapped."""
    if isinstance(value, bool):
        target.int_value = int(value)
    elif isinstance(value, (int, float)):
        target.double_value = float(value)
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, list):
        target.struct_value.update({"list": value})
    elif isinstance(value, dict):
        target.struct_value.update({"struct": value})
    else:
        target.SetInParent()
