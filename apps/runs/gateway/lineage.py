"""Reads one run's lineage from ML Metadata over gRPC-Web, and hands it on as plain values.

Which calls, and what the driver and launcher write, is in docs/gateway.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from apps.mlmd import grpc_web, messages
from apps.runs import exceptions
from apps.runs.entities import Artifact
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.numbers import whole

# The real store answered 101 of 242 rows and no token when asked for 1000, and 20 when asked for no number.
_PAGE: Final = 100
_MOST_PAGES: Final = 200
_CONTEXT_TYPE: Final = "system.PipelineRun"
_NOT_METADATA: Final = frozenset({"display_name", "store_session_info"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution, its custom properties read out.

    Attributes:
        state: a name of `messages.EXECUTION_STATES`.
        properties: custom properties as JSON values.
    """

    id: int
    type: str
    state: str
    created_at: datetime | None
    updated_at: datetime | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()

    @property
    def task_name(self) -> str:
        """The task's key in the spec; "" on the run's root."""
        return str(self.properties.get("task_name", ""))

    @property
    def parent_id(self) -> int | None:
        """The enclosing DAG execution's id; None on the root."""
        return self.whole_number("parent_dag_id")

    def whole_number(self, name: str) -> int | None:
        """Returns a property that is a count or an id; None where it is missing or no number."""
        try:
            return int(self.properties[name])
        except (KeyError, TypeError, ValueError):
            return None


def read_executions(connection: Connection, run_id: str) -> tuple[Execution, ...]:
    """Returns a run's executions with their artifacts; empty where the store knows no such run.

    Raises:
        RunsError: the store does not answer, or not with ML Metadata.
    """
    context = _call(connection, "GetContextByTypeAndName", type_name=_CONTEXT_TYPE, context_name=run_id).context
    if not context.id:
        return ()
    rows = tuple(_executions(connection, context.id))
    events = [
        event
        for chunk in _chunks([row.id for row in rows])
        for event in _call(connection, "GetEventsByExecutionIDs", execution_ids=chunk).events
    ]
    artifacts = _artifacts(connection, {event.artifact_id for event in events})
    return tuple(_execution(row, tuple(_artifacts_of(row.id, events, artifacts))) for row in rows)


def _executions(connection: Connection, context_id: int) -> Iterator[Any]:
    token = ""
    for _ in range(_MOST_PAGES):
        options = {"max_result_size": _PAGE, **({"next_page_token": token} if token else {})}
        answer = _call(connection, "GetExecutionsByContext", context_id=context_id, options=options)
        yield from answer.executions
        token = answer.next_page_token
        if not token:
            return


def _artifacts(connection: Connection, ids: set[int]) -> dict[int, Any]:
    rows = [
        row
        for chunk in _chunks(sorted(ids))
        for row in _call(connection, "GetArtifactsByID", artifact_ids=chunk).artifacts
    ]
    if any(not row.type for row in rows):
        names = {kind.id: kind.name for kind in _call(connection, "GetArtifactTypes").artifact_types}
        for row in rows:
            row.type = row.type or names.get(row.type_id, "")
    return {row.id: row for row in rows}


def _artifacts_of(execution_id: int, events: Iterable[Any], artifacts: Mapping[int, Any]) -> Iterator[Artifact]:
    seen: set[tuple[int, str]] = set()
    for event in events:
        row = artifacts.get(event.artifact_id)
        if event.execution_id != execution_id or row is None:
            continue
        direction = _direction(event.type)
        if direction and (row.id, direction) not in seen:
            seen.add((row.id, direction))
            yield _artifact(row, direction, event.path.steps[0].key if event.path.steps else "")


def _direction(event_type: int) -> str:
    if event_type in messages.EVENT_INPUTS:
        return "input"
    return "output" if event_type in messages.EVENT_OUTPUTS else ""


def _artifact(row: Any, direction: str, key: str) -> Artifact:
    properties = {name: _value(value) for name, value in (*row.properties.items(), *row.custom_properties.items())}
    display_name = str(properties.get("display_name") or row.name or key)
    return Artifact(
        id=str(row.id),
        name=key or display_name,
        type=row.type or "system.Artifact",
        uri=row.uri,
        direction=direction,
        display_name=display_name,
        metadata={name: value for name, value in properties.items() if name not in _NOT_METADATA},
        created_at=_moment(row.create_time_since_epoch),
    )


def _execution(row: Any, artifacts: tuple[Artifact, ...]) -> Execution:
    state = row.last_known_state
    return Execution(
        id=row.id,
        type=row.type,
        state=messages.EXECUTION_STATES[state] if 0 <= state < len(messages.EXECUTION_STATES) else "UNKNOWN",
        created_at=_moment(row.create_time_since_epoch),
        updated_at=_moment(row.last_update_time_since_epoch),
        properties={name: _plain(value) for name, value in row.custom_properties.items()},
        artifacts=artifacts,
    )


def _moment(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None


def _plain(value: Any) -> Any:
    """Returns a Value as JSON, just as it was written."""
    kind = value.WhichOneof("value")
    if kind is None or kind == "proto_value":
        return None
    return whole(MessageToDict(value.struct_value)) if kind == "struct_value" else getattr(value, kind)


def _value(value: Any) -> Any:
    """Returns an artifact's Value as JSON; the wrappers `{"list": [...]}` and `{"struct": {...}}` are
    taken off.
    """
    plain = _plain(value)
    if isinstance(plain, dict) and len(plain) == 1 and next(iter(plain)) in {"list", "struct"}:
        return next(iter(plain.values()))
    return plain


def parse_object(value: Any) -> dict[str, Any]:
    """Returns a property that holds names and values: a Struct, or (older drivers) its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]


def _call(connection: Connection, method: str, **fields: Any) -> Any:
    request = messages.message_class(f"{method}Request")(**fields)
    body, headers = http.post(
        connection, messages.SERVICE_PATH + method, grpc_web.encode_request(request), grpc_web.REQUEST_HEADERS
    )
    try:
        return grpc_web.decode_response(body, headers, messages.message_class(f"{method}Response"))
    except grpc_web.GrpcWebError as error:
        host = connection.endpoint.host
        raise exceptions.EndpointError(f"The lineage store behind {host} answered {method} with: {error}") from error
