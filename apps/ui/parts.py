"""Error responses in the form of the request: a page, a part of a page, or the content of a frame.

A script that requested part of a page, and a frame, get a single sentence, so that the portal's own page never appears
in a panel or a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
SIGNED_OUT: Final = "You were signed out. Sign in to continue: everything you typed is still here."
_FRAMES: Final = frozenset({"iframe", "frame", "embed", "object"})
_FRAME_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{sentence}</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1rem; color-scheme: light dark }}</style>
<p>{sentence}</p></html>
"""
_UNCACHED: Final = {"Cache-Control": "no-store", "Vary": "HX-Request, Sec-Fetch-Dest, Cookie"}
_FRAME_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def is_fragment(request: HttpRequest) -> bool:
    """Whether a script requests part of a page; navigating back in the history does not count."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def for_frames(view: ViewT) -> ViewT:
    """Decorator: marks a view whose responses are displayed in frames."""
    view.is_for_frames = True  # type: ignore[attr-defined]
    return view


def is_framed(request: HttpRequest) -> bool:
    """Whether a browser displays the response in a frame.

    Browsers say so (Sec-Fetch-Dest) only on HTTPS and loopback; elsewhere the view's mark decides.
    """
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination in _FRAMES
    match = request.resolver_match
    is_browser = "text/html" in request.headers.get("Accept", "")
    return is_browser and match is not None and getattr(match.func, "is_for_frames", False)


def part_error(request: HttpRequest, sentence: str, status: int) -> HttpResponse | None:
    """Returns an error for a part of a page or a frame, with the cause in one sentence.

    None if a whole page was requested.
    """
    if is_fragment(request):
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=_UNCACHED)
    if not is_framed(request):
        return None
    page = HttpResponse(format_html(_FRAME_PAGE, sentence=sentence), status=status, headers=_UNCACHED)
    page["Content-Security-Policy"] = _FRAME_POLICY
    return page


def page_before(request: HttpRequest) -> str:
    """Returns the address within this portal of the page that sent the request; "" if unknown."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if not parts.path or parts.netloc != request.get_host():
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
