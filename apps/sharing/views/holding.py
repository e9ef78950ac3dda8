"""Pages for holders of a link: a bare page, the results on it, and their pictures; everything else is a 404.

Unknown, expired and revoked links get the same response.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.reports.selectors import ShownBlock
from apps.sharing import opening, services
from apps.sharing.opening import NOTHING, Opened
from apps.ui.parts import SIGNED_OUT, for_frames, part_error
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.services.pictures import Kind
from apps.visualizations.signed_addresses import granted_address
from apps.visualizations.views.content import FRAMES, confine_result, framed_result, picture_answer

_HEADERS: Final = {
    # The address is a secret that neither other sites nor search engines may learn.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    # A link can be revoked.
    "Cache-Control": "private, no-store",
}
View = Callable[..., HttpResponseBase]


def for_holders(view: View) -> View:
    """Decorator: opens the link and passes its content to the view, after a sign-in if one is required."""

    @functools.wraps(view)
    def answered(request: HttpRequest, token: str, **values: Any) -> HttpResponseBase:
        response = _answered(view, request, token, values)
        for name, value in _HEADERS.items():
            response[name] = value
        return response

    return login_not_required(require_safe(answered))


def _answered(view: View, request: HttpRequest, token: str, values: dict[str, Any]) -> HttpResponseBase:
    caller = caller_of(request)
    if not settings.VIZPORTAL_SHARE_ANONYMOUS:
        if not caller.is_person:
            return part_error(request, SIGNED_OUT, 401) or redirect_to_login(request.get_full_path())
        caller.require(Right.VIEW)
    try:
        opened = opening.share_open(caller, token, now=timezone.now())
        response = view(request, token, opened, **values)
    except (NotFoundError, Http404):
        return part_error(request, NOTHING, 404) or render(request, "sharing/nothing.html", status=404)
    # The policy's frame-ancestors replaces that header, because it supports several origins.
    response.xframe_options_exempt = True  # type: ignore[attr-defined]
    return response


@for_holders
def shared(request: HttpRequest, token: str, opened: Opened) -> HttpResponseBase:
    """Shows a link's content without the portal's navigation."""
    services.share_use_note(caller_of(request), opened.share, now=timezone.now())
    context = {
        "opened": opened,
        "blocks": [_block_context(token, opened, each) for each in opened.blocks],
        # Chat programs fetch previews without an account.
        "preview": _preview(request, token, opened) if settings.VIZPORTAL_SHARE_ANONYMOUS else None,
    }
    page = render(request, "sharing/shared.html", context)
    around = opened.share.origin_list
    return csp_replace({"frame-ancestors": ["'self'", *around]})(lambda _request: page)(request)


@for_frames
@for_holders
def shared_content(request: HttpRequest, token: str, opened: Opened, position: int | None = None) -> HttpResponseBase:
    """Returns a result for a frame on the bare page; direct navigation is redirected to that page."""
    result = opened.render_at(position)
    destination = request.headers.get("Sec-Fetch-Dest", "")
    if destination and destination not in FRAMES:
        return HttpResponseRedirect(reverse("sharing:shared", args=[token]))
    around = opened.share.origin_list
    if settings.VIZPORTAL_RESULTS_ORIGIN:
        return HttpResponseRedirect(granted_address(request, result, ("share", str(opened.share.id)), around))
    response = framed_result(caller_of(request), request, result)
    own = f"{request.scheme}://{request.get_host()}"
    confine_result(response, own)
    response["Content-Security-Policy"] += f"; frame-ancestors {' '.join([own, *around])}"
    return response


@for_holders
def shared_picture(
    request: HttpRequest,
    token: str,  # noqa: ARG001  (the decorator has read it)
    opened: Opened,
    kind: Kind,
    position: int | None = None,
) -> HttpResponseBase:
    """Returns the first picture of a result."""
    return picture_answer(request, opened.render_at(position), kind)


def _block_context(token: str, opened: Opened, block: ShownBlock) -> dict[str, Any]:
    where = [token] if opened.version is None else [token, block.position]
    return {
        "block": block,
        "content_url": reverse("sharing:shared_content", args=where),
        "picture_url": reverse("sharing:shared_picture_svg", args=where),
    }


def _preview(request: HttpRequest, token: str, opened: Opened) -> dict[str, str]:
    """Returns the values of the Open Graph tags."""
    first = next((each for each in opened.blocks if each.render is not None and not each.missing), None)
    where = [token] if opened.version is None else [token, first.position if first else 0]
    picture = request.build_absolute_uri(reverse("sharing:shared_picture_png", args=where))
    return {"title": opened.title, "image": picture if first else ""}
