"""The common format of all errors that the API returns."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from apps.stores.streamed import StoreAwayError

MAX_BODY_BYTES = 1024**2
logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An error response in the API's format."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = dict(fields or {})


def error_response(status: int, code: str, message: str, fields: Mapping[str, str] | None = None) -> HttpResponse:
    """Returns `{"error": {"code", "message", "fields"?}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = dict(fields)
    return JsonResponse({"error": error}, status=status)


def http_error_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers errors of the framework itself; the cause of an unreadable body has the reason."""
    if error.status_code == 401:
        return error_response(401, "not_signed_in", "Sign in, or send a token: Authorization: Bearer <token>.")
    cause = error.__cause__
    message = str(cause) if isinstance(cause, ValueError) else error.message
    return error_response(error.status_code, "bad_request", message)


def validation_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers invalid fields with 400, named as in the request; an invalid id in the path is a 404."""
    if all(each["loc"][0] == "path" for each in error.errors):
        return error_response(404, "not_found", "There is no such id.")
    fields: dict[str, str] = {}
    for each in error.errors:
        # ("body", "payload", "run_id") or ("query", "page_size"): first the location; payload is our parameter's name.
        path = [str(part) for part in each["loc"][1:] if part != "payload"]
        fields[".".join(path) or "body"] = str(each["msg"])
    return error_response(400, "invalid", "The request is not valid.", fields)


def too_big_answer(_request: HttpRequest, _error: Any) -> HttpResponse:
    """Answers a body that exceeds Django's own limit."""
    return error_response(400, "bad_request", f"The body is larger than {MAX_BODY_BYTES:,} bytes.")


def forbidden_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers a service's refusal with its message."""
    return error_response(403, "forbidden", str(error))


def broken_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers unexpected errors: 503 if the database or the store is away, else 500 with an incident number."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("api: the database does not answer: %s", error)
        return error_response(503, "database_away", "The database does not answer. Nothing is lost; try again soon.")
    if isinstance(error, StoreAwayError):
        logger.error("api: %s", error)
        return error_response(503, "store_away", "The store of results does not answer. Try again soon.")
    incident = uuid.uuid4().hex[:8]
    logger.error("api: incident %s", incident, exc_info=error)
    return error_response(500, "internal_error", f"Something went wrong in the portal (incident {incident}).")


def open_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorator: exempts a view from the sign-in page, and reports a refused method in the API's error format."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        allow = response.get("Allow", "")
        answer = error_response(405, "method_not_allowed", f"Use {allow}." if allow else "Not this method.")
        answer["Allow"] = allow
        return answer

    wrapped.login_required = False  # type: ignore[attr-defined]
    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def unknown_address(request: HttpRequest, path: str = "") -> HttpResponse:  # noqa: ARG001
    """Answers a path that the API does not have."""
    return error_response(404, "not_found", "The API has no such address. See /api/v1/docs.")
