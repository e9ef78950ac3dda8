"""Middleware: request ids, request metrics, the access log, and `/metrics` ahead of host and user checks."""

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
# Requested every few seconds by machines: neither traced nor in the access log at INFO.
PROBE_PATHS: Final = frozenset({"/healthz", "/readyz", METRICS_PATH})
_VALID_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The client closed the connection; nginx uses this number too.
_CLIENT_CLOSED: Final = 499
logger = logging.getLogger(ACCESS_LOGGER)


class RequestMiddleware:
    """Gives each request an id, measures it, and writes the access log. Outermost, so it sees every response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Handles the request, and returns its id in a header."""
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
    """Answers `/metrics` for permitted clients before hosts, sessions and users are checked.

    The database may be down, and a sign-in would query it. Prometheus requests each replica at its own address, which
    VIZPORTAL_ALLOWED_HOSTS cannot list, so the token is sufficient proof. Without a token the host name is checked,
    since another site's page could reach this machine through its own domain name (DNS rebinding). Other requests
    continue to the view at that address, which refuses them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers the request, or passes it on."""
        if request.path_info != METRICS_PATH or not may_read(request):
            return self.get_response(request)
        request.resolver_match = resolve(METRICS_PATH)
        return metrics(request)
