"""Pages that belong to no room: the error pages and the living page of components."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseForbidden, HttpResponseNotFound, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

STATES = (
    "queued",
    "pending",
    "running",
    "succeeded",
    "cached",
    "failed",
    "timed_out",
    "cancelled",
    "skipped",
    "lost",
)


@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (Django passes it)
    """Leads browsers that ask for the old address (the admin's pages name none) to the icon."""
    return HttpResponseRedirect(static("favicon.svg"))


def design(request: HttpRequest) -> HttpResponse:
    """Shows every component in every state."""
    return render(request, "design.html", {"states": STATES, "rows": range(3)})


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 403 with the reason, where a view gave one for people."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return HttpResponseForbidden(render_to_string("403.html", {"reason": reason}, request))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 404 with the reason, where a view gave one for people."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return HttpResponseNotFound(render_to_string("404.html", {"reason": reason}, request))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers 500 with an id to look for in the log; the page needs no database and no template context."""
    error_id = secrets.token_hex(4)
    logger.error("error page %s shown for %s", error_id, request.path)
    return HttpResponse(render_to_string("500.html", {"error_id": error_id}), status=500)
