"""The one place that converts HTTP statuses, exceptions of urllib3 and login pages to errors of apps.runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3.exceptions as foreign

from apps.runs import exceptions

_GATEWAY_STATUSES: Final = frozenset({502, 503, 504})
_REFUSED_STATUSES: Final = frozenset({400, 409, 412, 413, 422})
_LONGEST_REASON: Final = 500


def from_status(host: str, status: int, body: bytes | str) -> exceptions.RunsError:
    """Returns the error for an answer with an error status."""
    reason = reason_of(body)
    if status == 404:
        return exceptions.NotFoundError(reason or f"Kubeflow at {host} does not have this (404).")
    if status == 401 or 300 <= status < 400:
        return exceptions.NotSignedInError(
            f"Kubeflow at {host} requires a sign-in ({status}). Sign in again, or check the portal's credentials "
            "for it (KFP_EXISTING_TOKEN, KFP_COOKIES or KFP_USERID_HEADER, or its entry in VIZPORTAL_ENDPOINTS)."
        )
    if status == 403:
        return exceptions.ForbiddenError(f"Kubeflow at {host} refuses this: {reason or 'no permission (403)'}")
    if status in _GATEWAY_STATUSES:
        return exceptions.EndpointDownError(f"Kubeflow at {host} is not available ({status}). {reason}".strip())
    if status in _REFUSED_STATUSES:
        kind = exceptions.ConflictError if status == 409 else exceptions.InvalidRequestError
        return kind(reason or f"Kubeflow at {host} refused the request ({status}).")
    return exceptions.EndpointError(
        f"Kubeflow at {host} answered with an error ({status}): {reason or 'no reason given'}"
    )


def reason_of(body: bytes | str) -> str:
    """Returns the sentence for users in an error body.

    It is `details[0].message`, else `message` or `error`, else the text itself.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if looks_like_html(text):
        return ""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text.strip()[:_LONGEST_REASON]
    return _reason_in(parsed)[:_LONGEST_REASON]


def _reason_in(parsed: Any) -> str:
    if not isinstance(parsed, dict):
        return str(parsed)
    details = parsed.get("details")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    # For an internal error only the whole message says what is wrong.
    if first.get("message") and first["message"] != "Internal Server Error":
        return str(first["message"])
    return str(parsed.get("message") or parsed.get("error_message") or parsed.get("error") or "")


def looks_like_html(body: bytes | str) -> bool:
    """Whether an answer is a web page: a proxy's sign-in or error page instead of the API's answer."""
    head = body[:200].decode("utf-8", "replace") if isinstance(body, bytes) else body[:200]
    return head.lstrip().lower().startswith(("<!doctype html", "<html"))


def login_page(host: str) -> exceptions.NotSignedInError:
    """Returns the error for a web page with status 200 instead of JSON."""
    return exceptions.NotSignedInError(
        f"{host} answered with a web page instead of Kubeflow's API. Usually that is a sign-in page: "
        "check the portal's credentials, and that KFP_HOST is the address of the API."
    )


@contextmanager
def network_errors(host: str, timeout_s: float) -> Iterator[None]:
    """Converts urllib3's exceptions to EndpointDownError with a readable cause.

    Raises:
        EndpointSilentError: no answer came in time.
        EndpointDownError: no answer came, or the answer broke off.
    """
    try:
        yield
    except foreign.HTTPError as error:
        inner = error.reason if isinstance(error, foreign.MaxRetryError) and error.reason else error
        is_late = isinstance(inner, foreign.TimeoutError) and not isinstance(inner, foreign.NewConnectionError)
        kind = exceptions.EndpointSilentError if is_late else exceptions.EndpointDownError
        raise kind(f"Kubeflow at {host} does not answer ({_cause(inner, timeout_s)}).") from error
    except OSError as error:
        raise exceptions.EndpointDownError(
            f"Kubeflow at {host} does not answer ({error.strerror or error})."
        ) from error


def _cause(inner: Exception, timeout_s: float) -> str:
    if isinstance(inner, foreign.NameResolutionError):
        return "the host name is unknown"
    if isinstance(inner, foreign.NewConnectionError):
        return "connection refused" if "refused" in str(inner).lower() else "no connection"
    if isinstance(inner, foreign.TimeoutError):
        return f"timed out after {timeout_s:g} s"
    if isinstance(inner, foreign.SSLError):
        return f"TLS failed ({inner})"
    if isinstance(inner, foreign.LocationParseError | foreign.LocationValueError):
        return "its address is not a valid URL"
    return "the connection was closed"
