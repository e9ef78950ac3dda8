"""Reads one run's lineage from ML Metadata and returns it as plain values.

docs/gateway.md describes the calls, and what the driver and launcher write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from mlmd import messages

from apps.runs import exceptions
from apps.runs.entities import Artifact
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.json_reading import whole
from apps.runs.gateway.lineage_transport import call

# The real store returned 101 of 242 rows and no token for a page size of 1000, and 20 rows without a page size.
_PAGE: Final = 100
_MOST_PAGES: Final = 200
# The store does not truncate queries by id, so larger batches are possible, each about a megabyte.
_BATCH: Final = 400
_MOST_ORIGINS: Final = 20
_AT_ONCE: Final = 4
_CONTEXT_TYPE: Final = "system.PipelineRun"
_NOT_METADATA: Final = frozenset({"display_name", "store_session_info"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution with its custom properties.

    Attributes:
        state: a name of `messages.EXECUTION_STATES`.
        properties: custom properties as JSON values.
        cached_run_id: the run that originally produced what this execution reuses; "" if it reuses nothing, or if
            unknown.
        error: why it failed, for people; "" if the store does not say, as ML Metadata never does.
    """

    id: int
    type: str
    state: str
    created_at: datetime | None
    updated_at: datetime | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    cached_run_id: str = ""
    error: str = ""

    @property
    def task_name(self) -> str:
        """The task's key in the spec; "" on the run's root."""
        return str(self.properties.get("task_name", ""))

    @property
    def parent_id(self) -> int | None:
        """The enclosing DAG execution's id; None on the root."""
        return self.whole_number("parent_dag_id")

    def whole_number(self, name: str) -> int | None:
        """Returns a property that is a count or an id; None if it is missing or not a number."""
        try:
            return int(self.properties[name])
        except (KeyError, TypeError, ValueError):
            return None


def read_executions(connection: Connection, run_id: str) -> tuple[Execution, ...]:
    """Returns a run's executions with their artifacts; empty if the store does not know the run.

    Raises:
        RunsError: the store does not answer, or is not ML Metadata.
    """
    context = call(connection, "GetContextByTypeAndName", type_name=_CONTEXT_TYPE, context_name=run_id).context
    if not context.id:
        return ()
    rows = list(_executions(connection, context.id))
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        origins = pool.submit(_origins, connection, rows)
        answers = pool.map(
            lambda ids: call(connection, "GetEventsByExecutionIDs", execution_ids=ids).events,
            _chunks([row.id for row in rows]),
        )
        events = [event for answer in answers for event in answer]
        artifacts = _artifacts(connection, pool, {event.artifact_id for event in events})
        found = _artifacts_by_execution(events, artifacts)
        return tuple(_execution(row, found.get(row.id, ()), origins.result()) for row in rows)


def _executions(connection: Connection, context_id: int) -> Iterator[Any]:
    token = ""
    for _ in range(_MOST_PAGES):
        options = {"max_result_size": _PAGE, **({"next_page_token": token} if token else {})}
        answer = call(connection, "GetExecutionsByContext", context_id=context_id, options=options)
        yield from answer.executions
        token = answer.next_page_token
        if not token:
            return


def _artifacts(connection: Connection, pool: ThreadPoolExecutor, ids: set[int]) -> dict[int, Any]:
    answers = pool.map(
        lambda chunk: call(connection, "GetArtifactsByID", artifact_ids=chunk).artifacts, _chunks(sorted(ids))
    )
    rows = [row for answer in answers for row in answer]
    if any(not row.type for row in rows):
        names = {kind.id: kind.name for kind in call(connection, "GetArtifactTypes").artifact_types}
        for row in rows:
            row.type = row.type or names.get(row.type_id, "")
    return {row.id: row for row in rows}


def _origins(connection: Connection, rows: Iterable[Any]) -> dict[int, str]:
    """Returns by execution id the run that originally produced what others reuse; for the first few only.

    Best effort: without it, only a cached step's link is missing.
    """
    reused = dict.fromkeys(number for row in rows if (number := cached_execution_id(row)) is not None)
    found: dict[int, str] = {}
    for execution_id in list(reused)[:_MOST_ORIGINS]:
        try:
            contexts = call(connection, "GetContextsByExecution", execution_id=execution_id).contexts
        except exceptions.RunsError:
            return found
        name = next((context.name for context in contexts if context.type == _CONTEXT_TYPE), "")
        if name:
            found[execution_id] = name
    return found


def cached_execution_id(row: Any) -> int | None:
    """Returns the execution whose outputs this one reuses; None if it did its own work."""
    value = row.custom_properties.get("cached_execution_id")
    try:
        return int(value.string_value or value.int_value) if value is not None else None
    except ValueError:
        return None


def _artifacts_by_execution(events: Iterable[Any], artifacts: Mapping[int, Any]) -> dict[int, tuple[Artifact, ...]]:
    """Returns each execution's artifacts in the order of their events.

    An artifact that a step uses twice under one name counts once.
    """
    found: dict[int, dict[tuple[int, str, str], Artifact]] = {}
    metadata = {row_id: _metadata(row) for row_id, row in artifacts.items()}
    for event in events:
        row, direction = artifacts.get(event.artifact_id), _direction(event.type)
        if row is None or not direction:
            continue
        key = event.path.steps[0].key if event.path.steps else ""
        own = found.setdefault(event.execution_id, {})
        if (row.id, direction, key) not in own:
            own[row.id, direction, key] = _artifact(row, direction, key, metadata[row.id])
    return {execution_id: tuple(own.values()) for execution_id, own in found.items()}


def _direction(event_type: int) -> str:
    if event_type in messages.EVENT_INPUTS:
        return "input"
    return "output" if event_type in messages.EVENT_OUTPUTS else ""


def _metadata(row: Any) -> dict[str, Any]:
    properties = {name: _value(value) for name, value in row.properties.items()}
    properties |= {name: _value(value) for name, value in row.custom_properties.items()}
    return properties


def _artifact(row: Any, direction: str, key: str, properties: Mapping[str, Any]) -> Artifact:
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


def _execution(row: Any, artifacts: tuple[Artifact, ...], origins: Mapping[int, str]) -> Execution:
    state = row.last_known_state
    reused = cached_execution_id(row)
    return Execution(
        id=row.id,
        type=row.type,
        state=messages.EXECUTION_STATES[state] if 0 <= state < len(messages.EXECUTION_STATES) else "UNKNOWN",
        created_at=_moment(row.create_time_since_epoch),
        updated_at=_moment(row.last_update_time_since_epoch),
        properties={name: _plain(value) for name, value in row.custom_properties.items()},
        artifacts=artifacts,
        cached_run_id=origins.get(reused, "") if reused is not None else "",
    )


def _moment(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None


def _plain(value: Any) -> Any:
    """Returns a Value as JSON, unchanged."""
    kind = value.WhichOneof("value")
    if kind is None or kind == "proto_value":
        return None
    if kind == "struct_value":
        return {name: _json(item) for name, item in value.struct_value.fields.items()}
    # The launcher writes every number as a double.
    return whole(value.double_value) if kind == "double_value" else getattr(value, kind)


def _json(value: Any) -> Any:
    """Returns a protobuf Value as JSON. MessageToDict takes six times as long, and there are thousands of them."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: _json(item) for name, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_json(item) for item in value.list_value.values]
    if kind == "number_value":
        return whole(value.number_value)
    return None if kind in {None, "null_value"} else getattr(value, kind)


def _value(value: Any) -> Any:
    """Returns an artifact's Value as JSON.

    The wrappers `{"list": [...]}` and `{"struct": {...}}` are removed.
    """
    plain = _plain(value)
    if isinstance(plain, dict) and len(plain) == 1 and next(iter(plain)) in {"list", "struct"}:
        return next(iter(plain.values()))
    return plain


def parse_object(value: Any) -> dict[str, Any]:
    """Returns a property that maps names to values: a Struct, or (older drivers) its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
