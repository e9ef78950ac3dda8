"""Compresses responses: pages, fragments, JSON and small results.

Static files and libraries of results are compressed once, when they are stored, and not here.
"""

from __future__ import annotations

import re
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_TYPES: Final = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/x-ipynb+json",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
# A longer response is a result with much data, and compressing it would take a second of processor time for each view.
_LONGEST_STREAM_BYTES: Final = 4 * 1024**2
_REFUSES: Final = re.compile(r"\bgzip\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z)", re.IGNORECASE)


class CompressionMiddleware(GZipMiddleware):
    """Django's middleware, limited to text.

    It pads each response by a random length, and Django masks the form token anew in each, so the length reveals no
    secret (BREACH). Event streams are excluded because they would be held back until a block is full; partial
    responses, and files that support ranges, because they must be the stored bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compresses the response if the client accepts that and it helps."""
        if not _is_compressible(response) or _REFUSES.search(request.headers.get("Accept-Encoding", "")):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed


def _is_compressible(response: HttpResponseBase) -> bool:
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _TYPES:
        return False
    if response.has_header("Accept-Ranges") or response.has_header("Content-Range"):
        return False
    if "no-transform" in response.headers.get("Cache-Control", ""):
        return False
    if not response.streaming:
        return True
    # Clients measure the progress of a download by its size.
    is_download = response.headers.get("Content-Disposition", "").startswith("attachment")
    return not is_download and 0 < int(response.headers.get("Content-Length") or 0) <= _LONGEST_STREAM_BYTES
