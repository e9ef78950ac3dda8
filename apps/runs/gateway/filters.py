"""List queries in the API's own terms: filter predicates and sort orders.

Source: kubeflow/pipelines, backend/api/v2beta1/filter.proto.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from apps.runs.entities import State

SORTS: Final = {
    "-created": "created_at desc",
    "created": "created_at asc",
    "name": "name asc",
    "-name": "name desc",
    "-finished": "finished_at desc",
    "finished": "finished_at asc",
}
"""The portal's sort keys and their API names. One is always sent: an unsorted API answer starts with the oldest."""

MOST_IDS: Final = 200
"""Maximum number of runs that one query may name."""


def sort_by(sort: str) -> str:
    """Returns the API's sort order; newest first for an unknown key."""
    return SORTS.get(sort, SORTS["-created"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuestion:
    """A query for a list of runs, in the portal's terms.

    Attributes:
        states: any of these; empty for all.
        created_from, created_before: the first matching moment, and the first one after the period; None for any.
        run_ids: only these; None for any. At most MOST_IDS of them.
    """

    text: str = ""
    states: tuple[State, ...] = ()
    experiment_id: str = ""
    recurring_run_id: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None
    run_ids: tuple[str, ...] | None = None
    archived: bool = False
    sort: str = "-created"


def run_filter(question: RunQuestion) -> str:
    """Returns the filter of a run list as JSON text."""
    predicates = [_storage(archived=question.archived)]
    if question.text:
        predicates.append(contains("name", literal(question.text)))
    if question.states:
        words = [word for state in question.states for word in state.api_values or (state.value.upper(),)]
        predicates.append(_in("state", tuple(words)))
    if question.recurring_run_id:
        predicates.append(_in("recurring_run_id", (question.recurring_run_id,)))
    if question.created_from is not None:
        predicates.append(_moment("GREATER_THAN_EQUALS", question.created_from))
    if question.created_before is not None:
        predicates.append(_moment("LESS_THAN", question.created_before))
    if question.run_ids is not None:
        predicates.append(_in("run_id", question.run_ids[:MOST_IDS]))
    return dump(predicates)


def _moment(operation: str, moment: datetime) -> dict[str, Any]:
    # The Go API expects RFC 3339 with a Z.
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"operation": operation, "key": "created_at", "timestamp_value": text}


def name_filter(pattern: str) -> str:
    """Returns the filter of any list for a part of the name; "" for no text."""
    return dump([contains("name", pattern)]) if pattern else ""


def contains(key: str, pattern: str) -> dict[str, Any]:
    """Returns the predicate for a part of a text; the server's database decides about upper and lower case."""
    return {"operation": "IS_SUBSTRING", "key": key, "string_value": pattern}


def literal(text: str) -> str:
    """Returns the pattern that matches a text literally: the server uses LIKE, in which `%` and `_` are wildcards.

    Not for pipelines: a server that keeps them in Kubernetes compares texts and takes the backslashes literally.
    """
    return re.sub(r"([\\%_])", r"\\\1", text)


def dump(predicates: list[dict[str, Any]]) -> str:
    """Serializes predicates, all of which must hold, for the API."""
    # The server URL-decodes a filter once more than HTTP does: "+" would become a space, and "%" an error
    # (kubeflow/pipelines, backend/src/apiserver/server/list_request_util.go, parseAPIFilter).
    text = json.dumps({"predicates": predicates})
    return text.replace("+", "\\u002b").replace("%", "\\u0025")


def _storage(*, archived: bool) -> dict[str, Any]:
    operation = "EQUALS" if archived else "NOT_EQUALS"
    return {"operation": operation, "key": "storage_state", "string_value": "ARCHIVED"}


def _in(key: str, values: tuple[str, ...]) -> dict[str, Any]:
    if len(values) == 1:
        return {"operation": "EQUALS", "key": key, "string_value": values[0]}
    return {"operation": "IN", "key": key, "string_values": {"values": list(values)}}
