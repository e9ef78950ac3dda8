"""What a log line or a span belongs to: the request or the render that is being worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import LazyObject, empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One request, or one attempt of one render.

    Attributes:
        request_id: "" outside of a request.
        render_id: "" outside of a render.
        attempt: the render's, from 1; 0 outside of a render.
        request: None outside of a request.
    """

    request_id: str = ""
    render_id: str = ""
    attempt: int = 0
    request: HttpRequest | None = None


_scope: ContextVar[Scope | None] = ContextVar("observing_scope", default=None)


@contextmanager
def scope_open(**values: Any) -> Iterator[Scope]:
    """Holds a scope for as long as the block lasts; `values` are the attributes of `Scope`."""
    token = _scope.set(Scope(**values))
    try:
        yield Scope(**values)
    finally:
        _scope.reset(token)


def request_id() -> str:
    """Returns the id of the request that is being answered; "" outside of one."""
    scope = _scope.get()
    return scope.request_id if scope else ""


def ids() -> dict[str, str | int]:
    """Returns those of `request_id`, `render_id`, `attempt` and `user` that are known here."""
    scope = _scope.get()
    if scope is None:
        return {}
    found: dict[str, Any] = {
        "request_id": scope.request_id,
        "render_id": scope.render_id,
        "attempt": scope.attempt,
        "user": _user_id(scope.request),
    }
    return {name: value for name, value in found.items() if value}


def _user_id(request: HttpRequest | None) -> Any:
    """Returns the id of a user who was looked up already: writing a log line must never ask the database."""
    user = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty:
        user = getattr(request, "_acached_user", None)
    return getattr(user, "pk", None)
