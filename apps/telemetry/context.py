"""Context of log lines in structlog's context variables: a request, or an attempt of a render."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.http import HttpRequest
from django.utils.functional import LazyObject, empty
from structlog.contextvars import bound_contextvars, get_contextvars

_IDS = ("request_id", "render_id", "attempt", "trace_id")


def request_context(request: HttpRequest, request_id: str) -> AbstractContextManager[None]:
    """Adds the request's id to every log line of the block, and its user and trace once they are known."""
    return bound_contextvars(request=request, request_id=request_id, trace_id="")


def render_context(render_id: str, attempt: int, trace_id: str) -> AbstractContextManager[None]:
    """Adds a render's ids to every log line of the block.

    Args:
        attempt: counted from 1.
        trace_id: "" if tracing is off.
    """
    return bound_contextvars(render_id=render_id, attempt=attempt, trace_id=trace_id)


def request_id() -> str:
    """Returns the id of the current request; "" outside of a request."""
    return str(get_contextvars().get("request_id", ""))


def ids() -> dict[str, str | int]:
    """Returns the known ones of `request_id`, `render_id`, `attempt`, `trace_id` and `user`."""
    bound = get_contextvars()
    found = {name: bound.get(name) for name in _IDS} | {"user": _user_id(bound.get("request"))}
    return {name: value for name, value in found.items() if value}


def _user_id(request: HttpRequest | None) -> Any:
    """Returns the user's id if the user is already loaded: writing a log line must never query the database."""
    user = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty:
        user = getattr(request, "_acached_user", None)
    return getattr(user, "pk", None)
