"""Views that belong to no app: error pages, the start page."""

from __future__ import annotations

import logging
import secrets
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseForbidden,
    HttpResponseNotFound,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.views.decorators.http import require_safe

from apps.stores.streamed import StoreAwayError
from apps.telemetry.context import request_id

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)
_RETRY_AFTER_S = 5
_AWAY = {"database": "The database does not answer", "store": "The store of results does not answer"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (Django passes it)
    """Redirects to the runs."""
    return redirect("runs:run_list")


def nowhere(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001  (Django passes them)
    """Answers 404, for addresses of other packages that the portal does not offer.

    Raises:
        Http404: always.
    """
    raise Http404("There is no such page.")


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (Django passes it)
    """Redirects to the icon: browsers request this address on the admin's pages, which name no icon."""
    return HttpResponseRedirect(static("favicon.svg"))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 403 with the view's reason, if it gave one."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return HttpResponseForbidden(render_to_string("403.html", {"reason": reason}, request))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 404 with the view's reason, if it gave one."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return HttpResponseNotFound(render_to_string("404.html", {"reason": reason}, request))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers 500 with ids to search for in the log, or 503 where the database or the store of results is down.

    The pages need no database and no template context. Every log line of the request has its id, the traceback too.
    """
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError, StoreAwayError)):
        part = "store" if isinstance(error, StoreAwayError) else "database"
        logger.error("%s: %s: %s", request.path, type(error).__name__, error)
        return _part_away(request, part)
    error_id = secrets.token_hex(4)
    logger.error("error page %s shown for %s", error_id, request.path)
    return _bare("500.html", {"error_id": error_id, "request_id": request_id()}, 500)


def _bare(template: str, context: dict[str, object], status: int) -> HttpResponse:
    """Answers with a page that works even without static files, whose names may be unknown here."""
    frame: dict[str, object] = {"home": get_script_prefix()}
    with suppress(ValueError):
        frame["styles"] = [static(f"css/{name}.css") for name in ("tokens", "base", "components")]
        frame["theme"] = static("js/theme.js")
    return HttpResponse(render_to_string(template, frame | context), status=status)


def _part_away(request: HttpRequest, part: str) -> HttpResponse:
    """Answers 503: `part` is "database" or "store"."""
    answer: HttpResponse
    words = _AWAY[part]
    if request.path.startswith("/api/"):
        # The API's error format; the API itself was not called, since the session could not be read.
        error = {"code": f"{part}_away", "message": f"{words}. Nothing is lost; try again soon."}
        answer = JsonResponse({"error": error}, status=503)
    else:
        context = {"words": words, "is_asked_again": request.method == "GET", "retry": request.get_full_path()}
        answer = _bare("503.html", context, 503)
    answer["Retry-After"] = str(_RETRY_AFTER_S)
    return answer
