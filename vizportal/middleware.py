"""What every request passes before any room sees it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def refuse_nul(get_response: GetResponse) -> GetResponse:
    """Answers 400 to an address with a NUL: no name has one, and PostgreSQL refuses to compare with it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest(
                "The address holds a NUL character.\n", content_type="text/plain; charset=utf-8"
            )
        return get_response(request)

    return answer
