"""Lets who may read `/metrics` do so before hosts, sessions and people are looked at.

The database may be away, and signing in would ask it. And Prometheus asks each replica at its own address, which is no
name that VIZPORTAL_ALLOWED_HOSTS could list: there the token is the proof. Without a token the host's name is checked
here, since a page of another site could reach this machine by a name of its own (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve

from vizportal.observability.views import has_token, is_open_to, metrics

_PATH = "/metrics"


class MetricsMiddleware:
    """Whoever may not read goes on to the view of that address, which says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers, or passes the request on."""
        if request.path_info != _PATH or not _may_read(request):
            return self.get_response(request)
        request.resolver_match = resolve(_PATH)
        return metrics(request)


def _may_read(request: HttpRequest) -> bool:
    # `get_host` raises DisallowedHost, which Django answers with 400.
    return has_token(request) or (is_open_to(request) and bool(request.get_host()))
