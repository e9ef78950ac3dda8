"""Library code for results: public, immutable, and free of render output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from renderer.assets import CONTENT_TYPES

from apps.visualizations.services import assets

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

_TAKES_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9])\S*)?\s*(?:,|$)", re.IGNORECASE)


@login_not_required
@require_safe
def asset(request: HttpRequest, sha256: str, kind: str) -> HttpResponseBase:
    """Returns an asset. A result's frame has no origin and sends no cookie, so no sign-in is required.

    If results have their own origin, assets are served only there, where requests have no session.

    Args:
        kind: "js" or "css".
    """
    if hasattr(request, "session"):
        if settings.VIZPORTAL_RESULTS_ORIGIN:
            raise Http404("Library code for results is on their own origin.")
        # The session was read to find the namespace chosen last. Without this line the response would vary by cookie,
        # and caches could not store it.
        request.session.accessed = False
    takes_gzip = bool(_TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")))
    compressed = assets.asset_compressed(sha256, kind) if takes_gzip else None
    is_compressed = compressed is not None
    response = _compressed(compressed, kind) if compressed is not None else _plain(sha256, kind)
    response["Vary"] = "Accept-Encoding"
    response["ETag"] = f'"{sha256[:32]}{"-gz" if is_compressed else ""}"'
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # An opaque origin is cross-origin everywhere, even to its own server; module scripts also require CORS.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    response["X-Content-Type-Options"] = "nosniff"
    answer = get_conditional_response(request, etag=response["ETag"], response=cast("HttpResponse", response))
    if answer is not None and answer.status_code != response.status_code:
        response.close()
    return answer or response


def _compressed(content: bytes, kind: str) -> HttpResponseBase:
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
    return StreamingHttpResponse([content], content_type=CONTENT_TYPES[kind], headers=headers)


def _plain(sha256: str, kind: str) -> HttpResponseBase:
    file = assets.asset_open(sha256, kind)
    if file is None:
        raise Http404("There is no such asset, or the stored one is damaged.")
    headers = {"Content-Length": str(file.size_bytes)}
    return StreamingHttpResponse(file, content_type=CONTENT_TYPES[kind], headers=headers)
