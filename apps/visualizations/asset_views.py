"""Library code for results: public, never changing, and free of anything that belongs to a render."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from apps.visualizations.services import assets
from apps.visualizations.streaming import file_chunks

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

_TAKES_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9])\S*)?\s*(?:,|$)", re.IGNORECASE)


@login_not_required
@require_safe
def asset(request: HttpRequest, sha256: str, kind: str) -> HttpResponseBase:
    """Answers with an asset. A result's frame has no origin and sends no cookie, so nobody is asked who they are.

    Args:
        kind: "js" or "css".
    """
    # The session was asked for the namespace that was chosen last: without this the answer would vary by cookie, and no
    # cache between could keep it.
    request.session.accessed = False
    is_compressed = bool(_TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")))
    file = assets.asset_open(sha256, kind, is_compressed=True) if is_compressed else None
    is_compressed = file is not None
    file = file or assets.asset_open(sha256, kind)
    if file is None:
        raise Http404("There is no such asset.")
    response = StreamingHttpResponse(file_chunks(file), content_type=assets.CONTENT_TYPES[kind])
    response["Content-Length"] = str(file.size)
    if is_compressed:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    response["ETag"] = f'"{sha256[:32]}{"-gz" if is_compressed else ""}"'
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # An opaque origin is foreign to every origin, its own server's too; module scripts ask for CORS besides.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    response["X-Content-Type-Options"] = "nosniff"
    answer = get_conditional_response(request, etag=response["ETag"], response=cast("HttpResponse", response))
    if answer is not None and answer.status_code != response.status_code:
        file.close()
    return answer or response
