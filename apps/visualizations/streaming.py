"""Streaming a file under WSGI and ASGI alike, holding one piece of it at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse

if TYPE_CHECKING:
    from django.core.files import File
    from django.http import HttpRequest

_CHUNK: int = 256 * 1024


def file_chunks(file: File[bytes]) -> Generator[bytes]:
    """Yields an open file's content and closes it."""
    with file:
        yield from file.chunks(_CHUNK)


def streaming_response(request: HttpRequest, chunks: Generator[bytes], content_type: str) -> StreamingHttpResponse:
    """Returns a response that sends the chunks as they come; they may block, they run in a thread under ASGI."""
    content: Iterator[bytes] | AsyncIterator[bytes] = chunks
    if isinstance(request, ASGIRequest):
        # Django would first gather a plain iterator in memory.
        content = _in_threads(chunks)
    return StreamingHttpResponse(content, content_type=content_type)


async def _in_threads(chunks: Generator[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await sync_to_async(_next)(chunks):
            yield chunk
    finally:
        await sync_to_async(chunks.close)()


def _next(chunks: Iterator[bytes]) -> bytes:
    """Returns the next piece that holds something; b"" at the end."""
    return next(filter(None, chunks), b"")
