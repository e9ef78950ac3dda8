"""The API's door: who comes in, what a body may be, and the one shape of every error."""

from __future__ import annotations

import functools
import json
import logging
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from ninja.parser import Parser
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie

from apps.accounts import roles
from apps.accounts.caller import Caller, CallerKind, caller_set
from apps.accounts.rights import Right
from apps.visualizations.services.tokens import token_user
from apps.visualizations.stores.streamed import StoreAwayError

MAX_BODY_BYTES = 1024**2
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An answer other than success, already in the API's words."""

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


class TokenAuth(HttpBearer):
    """A script's token: `Authorization: Bearer vzp_...`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Returns the token's user and makes the request theirs; None for a token that is not valid."""
        user = token_user(token)
        if user is not None:
            _check_right(caller_set(request, user, CallerKind.TOKEN))
        return user


class BrowserAuth(APIKeyCookie):
    """A signed-in browser. What changes something must come from the portal's own pages, as JSON.

    No other site can send JSON with this person's cookie: it is neither a form's content type nor allowed by CORS.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ARG002
        """Returns the signed-in user; None without one, or where a token was given that is not valid.

        Raises:
            ApiError: a changing request from another site, or not as JSON.
        """
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        if request.method not in _SAFE:
            _check_origin(request)
        _check_right(caller_set(request, request.user, CallerKind.API))
        return request.user


def _check_right(caller: Caller) -> None:
    if not caller.may(Right.VIEW):
        raise ApiError(403, "forbidden", roles.refusal(Right.VIEW))


def _check_origin(request: HttpRequest) -> None:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    is_own = origin is None or urlsplit(origin).netloc == request.get_host()
    if site not in {"same-origin", "none"} or not is_own:
        raise ApiError(403, "cross_site", "This request comes from another site. Use a token.")
    if request.method != "DELETE" and request.content_type != "application/json":
        raise ApiError(400, "not_json", "Send the body with Content-Type: application/json.")


class StrictParser(Parser):
    """Bodies are JSON objects of a bounded size, with finite numbers."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the body.

        Raises:
            HttpError: 400, with the reason.
        """
        if len(request.body) > MAX_BODY_BYTES:
            raise ValueError(f"The body is larger than {MAX_BODY_BYTES:,} bytes.")
        try:
            body = json.loads(request.body, parse_constant=_refuse, parse_float=_finite)
        except RecursionError:
            raise ValueError("The body is nested too deeply.") from None
        except UnicodeDecodeError:
            raise ValueError("The body is not UTF-8.") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"The body is not JSON: {error}.") from None
        check_texts(body)
        if not isinstance(body, dict):
            raise ValueError("The body must be a JSON object.")  # noqa: TRY004  (one kind for all of them)
        return body


def check_texts(*values: Any) -> None:
    """Refuses what no database keeps as text: NUL, and halves of surrogate pairs (JSON can spell both).

    Raises:
        ValueError: one of the JSON values holds such a text.
    """
    rest = list(values)
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            rest += [*value, *value.values()]
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
            raise ValueError("A text holds a NUL, or is not Unicode.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number.")
    return number


def http_error_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers what the framework itself refuses; a body that could not be read has its reason as the cause."""
    if error.status_code == 401:
        return error_response(401, "not_signed_in", "Sign in, or send a token: Authorization: Bearer <token>.")
    cause = error.__cause__
    message = str(cause) if isinstance(cause, ValueError) else error.message
    return error_response(error.status_code, "bad_request", message)


def validation_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers fields of the wrong kind: 400, named as in the request; an id of the wrong kind is not there."""
    if all(each["loc"][0] == "path" for each in error.errors):
        return error_response(404, "not_found", "There is no such id.")
    fields: dict[str, str] = {}
    for each in error.errors:
        # ("body", "payload", "run_id") or ("query", "page_size"): the first names the place, payload the parameter.
        path = [str(part) for part in each["loc"][1:] if part != "payload"]
        fields[".".join(path) or "body"] = str(each["msg"])
    return error_response(400, "invalid", "The request is not valid.", fields)


def too_big_answer(_request: HttpRequest, _error: Any) -> HttpResponse:
    """Answers a body that Django would not even read."""
    return error_response(400, "bad_request", f"The body is larger than {MAX_BODY_BYTES:,} bytes.")


def forbidden_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers a caller that a service refuses, with the service's sentence."""
    return error_response(403, "forbidden", str(error))


def broken_answer(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answers our own mistakes, an apology with an incident to find in the log, and a database that is away."""
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
    """Lets the API answer for itself who is not signed in, and puts a refused method into the one shape."""

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
    """Answers an address the API does not have."""
    return error_response(404, "not_found", "The API has no such address. See /api/v1/docs.")
