"""A render's files: the page for its sandboxed frame, the downloads, and the picture."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from http.client import OK
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.views.decorators.http import require_safe

from apps.accounts.caller import Caller, CallerKind, caller_of, caller_set, system_caller
from apps.accounts.rights import Right
from apps.runs.views.sandboxed_response import set_sandbox_headers
from apps.ui.parts import SIGNED_OUT, for_frames, part_error
from apps.visualizations import library_handover, selectors
from apps.visualizations.models import Render
from apps.visualizations.services import pictures
from apps.visualizations.services.assets import inline_assets
from apps.visualizations.services.live import live_page
from apps.visualizations.services.results import result_open
from apps.visualizations.services.stored import DamagedError
from apps.visualizations.services.tokens import token_user
from apps.visualizations.signed_addresses import LIFE_S, address_read, signed_address
from apps.visualizations.views.errors import service_errors_as_pages

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# Results are untrusted: an opaque origin, no network, no forms, no nested frames.
RESULT_CSP = (
    "sandbox allow-scripts; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval' blob: data: {assets}; "
    "style-src 'unsafe-inline' blob: {assets}; img-src data: blob:; media-src data: blob:; font-src data:; "
    "worker-src blob:; "
    "connect-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'"
)
# A picture may only be drawn: nothing in it runs or loads, even if it is opened on its own.
PICTURE_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "ipynb": "application/x-ipynb+json",
    "png": "image/png",
    "svg": "image/svg+xml",
}
DAMAGED_PAGE = """<!doctype html><meta charset="utf-8"><title>Damaged</title>
<style>body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem; color-scheme: light dark }</style>
<p><strong>The stored result is damaged: it is not what was saved.</strong></p>
<p>Nothing of it is shown. Choose "Render again", or ask an administrator to restore it from a backup.</p>
<script>parent.postMessage({ vizportalDamaged: true }, "*")</script>
"""
FRAMES = frozenset({"iframe", "frame"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def _render(request: HttpRequest, render_id: UUID) -> Render:
    with service_errors_as_pages():
        return selectors.render_get(caller_of(request), render_id)


def _file(render: Render, kind: str, *, with_assets: bool = False) -> HttpResponseBase:
    try:
        content = result_open(render, kind)
    except FileNotFoundError as error:
        raise Http404("This render has no such file, or it is gone from the store.") from error
    except DamagedError:
        return _damaged()
    content_type = _CONTENT_TYPES[kind]
    if with_assets:
        # The length is known only at the end.
        response = StreamingHttpResponse(inline_assets(content), content_type=content_type)
    else:
        response = StreamingHttpResponse(content, content_type=content_type)
        response["Content-Length"] = str(content.size_bytes)
    # Renders never change, but the people who may see them can.
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _damaged() -> HttpResponse:
    """Returns a page in place of a file that does not match what was saved.

    In a frame, its script asks the surrounding page to redraw the card, which then reports it and offers a new render.
    """
    return HttpResponse(DAMAGED_PAGE, status=500, headers={"Cache-Control": "no-store"})


def for_scripts_too(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorator: requires a sign-in or an API token, since the REST API returns addresses of these views."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        kind, _, raw = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            user = token_user(raw.strip())
            if user is None:
                return HttpResponse("This token is not valid.\n", status=401, content_type="text/plain; charset=utf-8")
            caller_set(request, user, CallerKind.TOKEN)
        if not request.user.is_authenticated:
            return part_error(request, SIGNED_OUT, 401) or redirect_to_login(request.get_full_path())
        caller_of(request).require(Right.VIEW)
        return view(request, *args, **kwargs)

    return login_not_required(answered)


@for_frames
@for_scripts_too
@require_safe
def render_content(request: HttpRequest, render_id: UUID) -> HttpResponseBase:
    """Returns the result's page, for frames only; direct navigation is redirected to the render's page.

    If results have their own origin, this redirects there, with a freshly signed address each time.
    """
    render = _render(request, render_id)
    destination = request.headers.get("Sec-Fetch-Dest", "")
    if destination and destination not in FRAMES:
        return HttpResponseRedirect(render.get_absolute_url())
    if settings.VIZPORTAL_RESULTS_ORIGIN:
        address = signed_address(caller_of(request), request, render)
        return HttpResponseRedirect(address, headers={"Cache-Control": "no-store"})
    response = framed_result(caller_of(request), request, render)
    confine_result(response, f"{request.scheme}://{request.get_host()}")
    # The response at this address depends on that header.
    response["Vary"] = "Sec-Fetch-Dest, Cookie"
    return response


@login_not_required
@require_safe
def signed_content(request: HttpRequest, render_id: UUID) -> HttpResponseBase:
    """Returns the result's page on the results' own origin, to a frame of the portal with a signed address."""
    signed = address_read(render_id, request.GET.get("key", ""))
    if signed is None or request.headers.get("Sec-Fetch-Dest", "iframe") not in FRAMES:
        raise Http404("This address is not valid, or no longer valid.")
    # The signature's holder has been checked; this origin has no session to make a caller from.
    caller = system_caller()
    render = selectors.render_get(caller, render_id)
    response = framed_result(caller, request, render)
    if response.status_code == OK and not render.is_active:
        response["Cache-Control"] = f"private, max-age={LIFE_S}"
    confine_result(response, settings.VIZPORTAL_RESULTS_ORIGIN)
    response["Content-Security-Policy"] += f"; frame-ancestors {signed.portal}"
    return response


def confine_result(response: HttpResponseBase, origin: str) -> None:
    """Sets the headers that confine a result's page in a browser.

    Args:
        origin: the origin that serves the page and its assets, such as `https://portal.example.com`.
    """
    assets = f"{origin}/assets/"
    set_sandbox_headers(response, RESULT_CSP.format(assets=assets), reachable=f"{assets}*")


def framed_result(caller: Caller, request: HttpRequest, render: Render) -> HttpResponseBase:
    """Returns the result, or a running render's output so far, prepared for library handover if the query asks for it.

    The response is not confined yet: see `confine_result`.
    """
    response = _so_far(caller, render) if render.is_active else _file(render, "html")
    is_handed = request.GET.get(library_handover.PARAMETER) == library_handover.FROM_PARENT
    if is_handed and response.status_code == OK:
        _begin_with(response, library_handover.start(request.GET))
    return response


def _begin_with(response: HttpResponseBase, start: bytes) -> None:
    if isinstance(response, StreamingHttpResponse):
        content = cast("Iterator[bytes]", response.streaming_content)
        response.streaming_content = itertools.chain([start], content)
        response["Content-Length"] = str(int(response["Content-Length"]) + len(start))
    elif isinstance(response, HttpResponse):
        response.content = start + response.content


def _so_far(caller: Caller, render: Render) -> HttpResponse:
    """Returns the output of a running render so far; it is as untrusted as the final result."""
    page = live_page(caller, render)
    if page is None:
        raise Http404("There is no output yet.")
    return HttpResponse(page, content_type=_CONTENT_TYPES["html"], headers={"Cache-Control": "no-store"})


@for_scripts_too
@require_safe
def render_download(request: HttpRequest, render_id: UUID, kind: str) -> HttpResponseBase:
    """Returns the HTML or the executed notebook as a download; the HTML is self-contained, to open offline.

    Args:
        kind: "html" or "ipynb".
    """
    render = _render(request, render_id)
    response = _file(render, kind, with_assets=kind == "html")
    # A download opens as the reader's own file; when opened at this address it must not run as the portal.
    set_sandbox_headers(response, "sandbox; default-src 'none'")
    if response.status_code == OK:
        name = _UNSAFE.sub("-", render.visualization.title).strip("-.") or "visualization"
        response["Content-Disposition"] = f'attachment; filename="{name[:80]}-{render.number}.{kind}"'
    return response


@for_scripts_too
@require_safe
def render_picture(request: HttpRequest, render_id: UUID, kind: pictures.Kind) -> HttpResponse:
    """Returns the first picture of a result; 404 if there is none, or 204 to a page that asked for that instead."""
    return picture_answer(request, _render(request, render_id), kind)


def picture_answer(request: HttpRequest, render: Render, kind: pictures.Kind) -> HttpResponse:
    """Returns the first picture of a render that the caller may see, confined."""
    try:
        content = pictures.picture_get(render, kind)
    except (FileNotFoundError, DamagedError) as error:
        if request.GET.get("missing") == "nothing":
            return HttpResponse(status=204)
        raise Http404(str(error) or "The stored result is damaged.") from error
    except pictures.PictureBusyError:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    response = HttpResponse(content, content_type=_CONTENT_TYPES[kind])
    response["Cache-Control"] = "private, max-age=86400, immutable"
    set_sandbox_headers(response, PICTURE_CSP)
    return response
