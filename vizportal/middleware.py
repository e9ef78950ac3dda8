"""What every request passes before any room sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_PAGE_METHODS: Final = ("GET", "HEAD", "POST")
# These answer for themselves which methods they serve, in their own shape.
_API_PATHS: Final = ("/api/", "/apis/")


def refuse_nul(get_response: GetResponse) -> GetResponse:
    """Answers 400 to an address with a NUL: no name has one, and PostgreSQL refuses to compare with it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest(
                "The address holds a NUL character.\n", content_type="text/plain; charset=utf-8"
            )
        return get_response(request)

    return answer


class MethodsMiddleware(MiddlewareMixin):
    """Answers 405 to methods that no page serves: views of other packages would answer them like GET.

    Which of the remaining methods a page serves is said at its view.
    """

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuses before anybody is asked who they are."""
        if request.method in _PAGE_METHODS or request.path_info.startswith(_API_PATHS):
            return None
        return HttpResponseNotAllowed(_PAGE_METHODS)
