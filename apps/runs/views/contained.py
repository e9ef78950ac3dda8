"""Answers that hold somebody else's bytes: what a browser may do with them, and how they are streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final, TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
# What an artifact holds is hostile until proved otherwise: in this policy it may draw, and nothing else. It can reach
# neither the portal (opaque origin), nor the network.
SANDBOX: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; "
    "connect-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'"
)


def contained(response: ResponseT, policy: str = SANDBOX) -> ResponseT:
    """Returns the answer with what confines it in a browser."""
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, max-age=60"
    return response


def streamed(request: HttpRequest, chunks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Returns chunks as this server streams them: ASGI would read a plain iterator into memory as a whole first."""
    return _async_chunks(chunks) if isinstance(request, ASGIRequest) else chunks


async def _async_chunks(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    def read() -> bytes | None:
        return next(chunks, None)

    while (chunk := await sync_to_async(read, thread_sensitive=False)()) is not None:
        yield chunk
