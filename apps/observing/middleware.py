"""Around every request: its id, its place in a trace, how long it took, and one line in the access log."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.observing import tracing
from apps.observing.logs import ACCESS_LOGGER
from apps.observing.metrics import HTTP_REQUESTS, HTTP_SECONDS
from apps.observing.scope import scope_open

HEADER: Final = "X-Request-ID"
_VALID_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by machines: no spans, and no lines at INFO.
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Nobody was there any more to take the answer; nginx's number for it.
_CLIENT_GONE: Final = 499
logger = logging.getLogger(ACCESS_LOGGER)


class ObservingMiddleware:
    """Stands before all others, so that whatever they answer is seen too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers the request."""
        with _observed(request) as observation:
            return observation.close(self.get_response(request))


class _Observation:
    """One request on its way."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.status = _CLIENT_GONE

    def close(self, response: HttpResponseBase) -> HttpResponseBase:
        self.status = response.status_code
        response[HEADER] = self.request_id
        return response


@contextmanager
def _observed(request: HttpRequest) -> Iterator[_Observation]:
    began = time.perf_counter()
    given = request.headers.get(HEADER, "")
    observation = _Observation(given if _VALID_ID.fullmatch(given) else uuid.uuid4().hex)
    with scope_open(request_id=observation.request_id, request=request), _span(request) as span:
        try:
            yield observation
        finally:
            _record(request, observation.status, time.perf_counter() - began, span)


@contextmanager
def _span(request: HttpRequest) -> Iterator[tracing.Span | None]:
    if not tracing.is_on() or request.path_info in _PROBES:
        yield None
        return
    attributes = {"http.request.method": _method(request), "url.path": request.path_info}
    carried = request.headers.get("traceparent", "")
    with tracing.span(_method(request), kind="server", attributes=attributes, carried=carried) as span:
        yield span


def _record(request: HttpRequest, status: int, seconds: float, span: tracing.Span | None) -> None:
    view, method = _view(request), _method(request)
    HTTP_REQUESTS.labels(view, method, str(status)).inc()
    HTTP_SECONDS.labels(view, method).observe(seconds)
    level = logging.DEBUG if request.path_info in _PROBES else logging.INFO
    facts = {"method": method, "view": view, "status": status, "ms": round(seconds * 1000, 1)}
    logger.log(level, "%s %s %s", method, view, status, extra=facts)
    if span is not None:
        span.rename(f"{method} {view}")
        route = request.resolver_match.route if request.resolver_match else None
        span.note({"http.route": route, "http.response.status_code": status, "vizportal.view": view})
        if status >= 500:
            span.fail(str(status))


def _view(request: HttpRequest) -> str:
    """Returns a name out of few, whatever address was asked for."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    is_static = request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}")
    return "static" if is_static else "unmatched"


def _method(request: HttpRequest) -> str:
    return request.method if request.method in _METHODS else "OTHER"
