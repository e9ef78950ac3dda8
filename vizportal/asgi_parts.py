"""Parts of the ASGI application.

A handler that uses one thread per request and streams its responses, and limits for requests that open pages send
automatically.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.visualizations.views.stream import STREAM_PATH_END, Application, Message, Receive, Send

# static/js/live-renders.js sends it with requests that no user action caused.
_POLL_HEADER: Final = b"x-vizportal-poll"
_BLOCK_BYTES: Final = 256 * 1024


class OneThreadHandler(ASGIHandler):
    """Django's handler, with one thread switch per request instead of two per middleware.

    All middleware and views here are synchronous, and forty thread switches cost more than most pages.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  (Django's signature)
        """Loads the middleware as synchronous code, whatever the caller requests."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answers in the request's thread, which also produces the chunks of a streaming response."""
        response = await sync_to_async(self._answer, thread_sensitive=True)(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            # Django would first collect all chunks in memory.
            response.streaming_content = _in_threads(iter(cast("Iterator[bytes]", response.streaming_content)))
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = _BLOCK_BYTES
        if response.streaming:
            # A client that reads slowly must not occupy a database connection.
            close_old_connections()
        return response


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await sync_to_async(_next)(chunks):
        yield chunk


def _next(chunks: Iterator[bytes]) -> bytes:
    """Returns the next chunk that is not empty; b"" at the end."""
    return next(filter(None, chunks), b"")


class ConcurrencyLimits:
    """Limits how many requests of open pages run at a time; requests caused by a user or an event do not wait.

    After a restart all open pages reconnect at once. Each request takes a thread and a database connection. Too many at
    a time are slower for everybody, and some would time out waiting for a connection.
    """

    def __init__(self, application: Application, *, streams: int, polls: int) -> None:
        """Sets how many event streams may be opening, and how many polls may be answered, at the same time."""
        self._application = application
        self._streams = asyncio.Semaphore(streams)
        self._polls = asyncio.Semaphore(polls)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request; a request of a limited kind waits for its turn."""
        semaphore = self._semaphore(scope)
        if semaphore is None:
            await self._application(scope, receive, send)
            return
        async with semaphore:
            await self._application(scope, receive, send)

    def _semaphore(self, scope: Message) -> asyncio.Semaphore | None:
        if scope.get("path", "").endswith(STREAM_PATH_END):
            return self._streams
        return self._polls if any(name == _POLL_HEADER for name, _ in scope.get("headers", ())) else None
