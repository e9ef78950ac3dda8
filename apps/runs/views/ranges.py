"""Partial downloads: one range of bytes, if the store supports ranges (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from apps.runs.gateway import ArtifactStream, Part

# Multiple ranges and suffix ranges are answered with the whole, as the standard allows.
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})\Z")


def asked_part(header: str) -> Part | None:
    """Parses a Range header; None for the whole, and for unsupported ranges."""
    match = _RANGE.match(header.strip())
    if match is None:
        return None
    start, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < start:
        return None
    return Part(start=start, length=None if last is None else last - start + 1)


def describe(
    response: HttpResponseBase, stream: ArtifactStream, part: Part | None, *, is_cut_here: bool = False
) -> None:
    """Sets status, length and range of a download.

    Args:
        response: the response to change.
        stream: the opened artifact.
        part: the requested part; None for the whole.
        is_cut_here: the portal cuts parts out of the whole, because the store has no ranges.
    """
    size = stream.size_bytes
    if stream.accepts_ranges or is_cut_here:
        response["Accept-Ranges"] = "bytes"
    if part is not None and (stream.accepts_ranges or is_cut_here) and size is not None:
        end = size if part.length is None else min(size, part.start + part.length)
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{end - 1}/{size}"
        size = end - part.start
    if size is not None:
        response["Content-Length"] = str(size)


def cut(chunks: Iterator[bytes], part: Part) -> Iterator[bytes]:
    """Yields a part of the whole."""
    skipped, left = part.start, part.length
    for chunk in chunks:
        kept = chunk[skipped:][:left]
        skipped = max(0, skipped - len(chunk))
        if kept:
            yield kept
        left = None if left is None else left - len(kept)
        if left == 0:
            return


def unsatisfiable(size: int | None) -> HttpResponse:
    """Returns the response to a range that begins after the end."""
    response = HttpResponse(status=416)
    response["Content-Range"] = f"bytes */{size if size is not None else '*'}"
    return response
