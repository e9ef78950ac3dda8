"""Middleware that handles every request before any app does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponseBadRequest, HttpResponseNotAllowed, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.deprecation import MiddlewareMixin
from rq.exceptions import NoSuchJobError

from apps.visualizations.exceptions import NotFoundError
from vizportal.views import not_found

GetResponse = Callable[[HttpRequest], HttpResponseBase]
logger = logging.getLogger(__name__)
_PAGE_METHODS: Final = ("GET", "HEAD", "POST")
# These check methods themselves, and answer in their own format.
_API_PATHS: Final = ("/api/", "/apis/")
# A missing job; a missing worker, which a view asserts, or an invalid key; rq_scheduler, which is not installed.
_DASHBOARD_MISSES: Final = (NoSuchJobError, AssertionError, ValueError, ImproperlyConfigured)
_QUEUE_DASHBOARD_POLICY: Final = {
    "style-src": [UNSAFE_INLINE],
    "script-src": ["'sha256-1kZe1KRxelr3ptMPsod17Z6BDvbtm4WcufgsZGvsErM='"],
}


class ResultsOriginMiddleware:
    """Serves the origin of results (VIZPORTAL_RESULTS_ORIGIN): pages of results, their assets, and nothing else.

    It comes before sessions and sign-in, so nothing there reads or sets a cookie.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers requests to that origin, and passes on requests to the portal's own."""
        origin = settings.VIZPORTAL_RESULTS_ORIGIN
        if not origin or not _is_request_to(request, origin):
            return self.get_response(request)
        try:
            request.resolver_match = resolve(request.path_info, "apps.visualizations.results_urls")
            match = request.resolver_match
            answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        except (Http404, NotFoundError):
            return HttpResponseNotFound(
                "There is nothing at this address, or it no longer exists. Open the result in the portal again.\n",
                content_type="text/plain; charset=utf-8",
            )
        return answer


def _is_request_to(request: HttpRequest, origin: str) -> bool:
    try:
        return request.get_host().lower() == origin.partition("://")[2]
    except DisallowedHost:
        # Probes use other host names; the views that answer them check the host.
        return False


def refuse_nul(get_response: GetResponse) -> GetResponse:
    """Middleware: answers 400 to a URL with a NUL, which no name contains and PostgreSQL cannot compare."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest(
                "The address holds a NUL character.\n", content_type="text/plain; charset=utf-8"
            )
        return get_response(request)

    return answer


class QueueDashboardMiddleware(MiddlewareMixin):
    """Adapts django_rq's pages: allows their inline styles and one inline script, and answers 404 for what is gone.

    The script is allowed by its hash, so that no other script that gets onto these pages can run.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Records whether the page is one of django_rq's; the admin site's template uses this too."""
        request.is_queue_dashboard = view.__module__.startswith("django_rq.")  # type: ignore[attr-defined]
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answers 404 for a job, worker or scheduler that does not exist; finished jobs are deleted at once."""
        if getattr(request, "is_queue_dashboard", False) and isinstance(exception, _DASHBOARD_MISSES):
            logger.info("%s: not found", request.path, exc_info=exception)
            return not_found(request, Http404("The queue has no such job, worker or scheduler."))
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Extends the policy of such a page."""
        if getattr(request, "is_queue_dashboard", False):
            return csp_update(_QUEUE_DASHBOARD_POLICY)(lambda _request: response)(request)
        return response


class MethodsMiddleware(MiddlewareMixin):
    """Answers 405 to methods that no page supports: views of other packages would treat them like GET.

    Decorators of the views restrict the remaining methods.
    """

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Rejects the request before sign-in is checked."""
        if request.method in _PAGE_METHODS or request.path_info.startswith(_API_PATHS):
            return None
        return HttpResponseNotAllowed(_PAGE_METHODS)
