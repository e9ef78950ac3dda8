"""What a list may be asked for, in the API's own words: filter predicates and sort orders.

Source: kubeflow/pipelines, backend/api/v2beta1/filter.proto.
"""

from __future__ import annotations

import json
from typing import Any, Final

from apps.runs.entities import State
from apps.runs.gateway.convert import API_STATES

SORTS: Final = {
    "-created": "created_at desc",
    "created": "created_at asc",
    "name": "name asc",
    "-name": "name desc",
    "-finished": "finished_at desc",
    "finished": "finished_at asc",
}
"""Sort keys of the portal and what the API calls them. Unsorted, the API sorts by UUID, so one is always
sent."""


def sort_by(sort: str) -> str:
    """Returns the API's order; newest first for a key nobody knows."""
    return SORTS.get(sort, SORTS["-created"])


def run_filter(*, text: str, state: State | None, archived: bool) -> str:
    """Returns the filter of a run list as JSON text."""
    predicates = [_storage(archived=archived)]
    if text:
        predicates.append(contains("name", text))
    if state is not None:
        predicates.append(_in("state", API_STATES.get(state, (state.value.upper(),))))
    return dump(predicates)


def name_filter(text: str) -> str:
    """Returns the filter of any list by part of the name; "" for no text."""
    return dump([contains("name", text)]) if text else ""


def contains(key: str, text: str) -> dict[str, Any]:
    """Returns the predicate for part of a text; how case is treated is the server's database's choice."""
    return {"operation": "IS_SUBSTRING", "key": key, "string_value": text}


def dump(predicates: list[dict[str, Any]]) -> str:
    """Returns predicates, all of which must hold, as the API reads them."""
    return json.dumps({"predicates": predicates})


def _storage(*, archived: bool) -> dict[str, Any]:
    operation = "EQUALS" if archived else "NOT_EQUALS"
    return {"operation": operation, "key": "storage_state", "string_value": "ARCHIVED"}


def _in(key: str, values: tuple[str, ...]) -> dict[str, Any]:
    if len(values) == 1:
        return {"operation": "EQUALS", "key": key, "string_value": values[0]}
    return {"operation": "IN", "key": key, "string_values": {"values": list(values)}}
