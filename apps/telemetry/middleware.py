"""Middleware: request ids, request metrics and the access log; and `/metrics` before hosts and users are checked."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve

from apps.telemetry.context import request_context
from apps.telemetry.logs import ACCESS_LOGGER
from apps.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS
from apps.telemetry.views import may_read, metrics

GetResponse = Callable[[HttpRequest], HttpResponseBase]
HEADER: Final = "X-Request-ID"
METRICS_PATH: Final = "/metrics"
# Requested every few seconds by machines: not traced, and not in the access log at INFO.
PROBE_PATHS: Final = frozenset({"/healthz", "/readyz", METRICS_PATH})
_VALID_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The client had closed the connection; nginx's number for it.
_CLIENT_CLOSED: Final = 499
logger = logging.getLogger(ACCESS_LOGGER)


class RequestMiddleware:
    """Gives each request its id, counts and times it, and writes the access log. Outermost, so it sees every answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers the request, with its id in the header."""
        started_at, status = time.perf_counter(), _CLIENT_CLOSED
        sent = request.headers.get(HEADER, "")
        request_id = sent if _VALID_ID.fullmatch(sent) else uuid.uuid4().hex
        with request_context(request, request_id):
            try:
                response = self.get_response(request)
                status = response.status_code
                response[HEADER] = request_id
                return response
            finally:
                _record(request, status, time.perf_counter() - started_at)


def _record(request: HttpRequest, status: int, seconds: float) -> None:
    view, method = view_name(request), method_name(request)
    HTTP_REQUESTS.labels(view, method, str(status)).inc()
    HTTP_SECONDS.labels(view, method).observe(seconds)
    level = logging.DEBUG if request.path_info in PROBE_PATHS else logging.INFO
    fields = {"method": method, "view": view, "status": status, "ms": round(seconds * 1000, 1)}
    logger.log(level, "%s %s %s", method, view, status, extra=fields)


def view_name(request: HttpRequest) -> str:
    """Returns a label with few values, whatever address was requested."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    is_static = request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}")
    return "static" if is_static else "unmatched"


def method_name(request: HttpRequest) -> str:
    """Returns a label with few values: clients may send any method."""
    return request.method if request.method in _METHODS else "OTHER"


class MetricsMiddleware:
    """Answers `/metrics` for those who may read it, before hosts, sessions and users are checked.

    The database may be down, and signing in would query it. And Prometheus asks each replica at its own address, which
    VIZPORTAL_ALLOWED_HOSTS cannot list: the token is the proof there. Without a token the host name is checked, since a
    page of another site could reach this machine by a name of its own (DNS rebinding). All others go on to the view of
    that address, which refuses them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers, or passes the request on."""
        if request.path_info != METRICS_PATH or not may_read(request):
            return self.get_response(request)
        request.resolver_match = resolve(METRICS_PATH)
        return metrics(request)
