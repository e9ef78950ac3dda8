"""Views that belong to no app: error pages, the start page."""

from __future__ import annotations

import logging
import secrets
import sys
from contextlib import suppress
from http import HTTPStatus
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
from apps.ui.parts import page_before, part_error

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)
_RETRY_AFTER_S = 5
_NOT_ALLOWED = "Your account may not do this. Ask an administrator of this portal."
_NOTHING_HERE = "There is nothing at this address, or you may not see it."
_FORM_TOO_OLD = "This form is older than your sign-in. Go back and send it again; what you typed is still there."
_AWAY = {"database": "The database does not answer", "store": "The store of results does not answer"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (Django passes it)
    """Redirects to the runs."""
    return redirect("runs:run_list")


def nowhere(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001  (Django passes them)
    """Answers 404 for URLs of other packages that the portal does not offer.

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
    return _refused(request, _reason_of(exception) or _NOT_ALLOWED)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers 403 to a form without a valid CSRF token, such as one from before the last sign-in."""
    logger.info("%s: CSRF check failed: %s", request.path, reason)
    return _refused(request, _FORM_TOO_OLD)


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    # The page before still contains what was sent.
    back = page_before(request) if request.method == "POST" else ""
    page = render_to_string("403.html", {"reason": reason, "back": back}, request)
    return part_error(request, reason, HTTPStatus.FORBIDDEN) or HttpResponseForbidden(page)


def _reason_of(exception: Exception) -> str:
    """Returns the sentence that a view gave for its error; "" for none."""
    return exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 404 with the view's reason, if it gave one."""
    reason = _reason_of(exception) or _NOTHING_HERE
    page = part_error(request, reason, HTTPStatus.NOT_FOUND)
    return page or HttpResponseNotFound(render_to_string("404.html", {"reason": reason}, request))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers 500 with ids to search for in the log, or 503 if the database or the store of results is down.

    The pages need no database and no template context. Every log line of the request, including the traceback, has its
    id.
    """
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError, StoreAwayError)):
        part = "store" if isinstance(error, StoreAwayError) else "database"
        logger.error("%s: %s: %s", request.path, type(error).__name__, error)
        return _part_away(request, part)
    error_id = secrets.token_hex(4)
    logger.error("error page %s shown for %s", error_id, request.path)
    sentence = (
        f"Something went wrong in the portal. Nothing that was saved is lost. The server's log has it as {error_id}."
    )
    page = part_error(request, sentence, HTTPStatus.INTERNAL_SERVER_ERROR)
    return page or _bare("500.html", {"error_id": error_id, "request_id": request_id()}, 500)


def _bare(template: str, context: dict[str, object], status: int) -> HttpResponse:
    """Answers with a page that works even without static files, whose names may be unknown."""
    frame: dict[str, object] = {"home": get_script_prefix()}
    with suppress(ValueError):
        frame["styles"] = [static(f"css/{name}.css") for name in ("tokens", "base", "components")]
        frame["theme"] = static("js/theme.js")
        frame["typed"] = static("js/typed.js")
    return HttpResponse(render_to_string(template, frame | context), status=status)


def _part_away(request: HttpRequest, part: str) -> HttpResponse:
    """Answers 503: `part` is "database" or "store"."""
    answer: HttpResponse
    words = _AWAY[part]
    if request.path.startswith("/api/"):
        # The API's error format; the API itself was not called, since the session could not be read.
        error = {"code": f"{part}_away", "message": f"{words}. Nothing is lost; try again soon."}
        answer = JsonResponse({"error": error}, status=503)
    elif in_part := part_error(request, f"{words}. Nothing is lost; try again soon.", HTTPStatus.SERVICE_UNAVAILABLE):
        answer = in_part
    else:
        context = {"words": words, "is_asked_again": request.method == "GET", "retry": request.get_full_path()}
        context["back"] = page_before(request)
        answer = _bare("503.html", context, 503)
    answer["Retry-After"] = str(_RETRY_AFTER_S)
    return answer
