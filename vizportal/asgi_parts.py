"""Parts of the ASGI application: Django in one thread a request, whose answers are sent piece by piece, and lines for
what open pages ask by themselves.
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

# As static/js/visualizations.js says it of a request that nobody asked for just now.
_POLL_HEADER: Final = b"x-vizportal-poll"
_BLOCK_BYTES: Final = 256 * 1024


class OneThreadHandler(ASGIHandler):
    """Django's own, which takes a request into its thread once and not for each half of each middleware.

    All middleware and views here are synchronous, and forty changes of thread cost more than most pages.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  (Django's signature)
        """Loads the synchronous halves of the middleware, whatever is asked for."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answers in the request's own thread, which also makes each piece of an answer that streams."""
        response = await sync_to_async(self._answer, thread_sensitive=True)(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            # Django would first gather all of it in memory.
            response.streaming_content = _in_threads(iter(cast("Iterator[bytes]", response.streaming_content)))
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = _BLOCK_BYTES
        if response.streaming:
            # Whoever reads slowly keeps no connection of the database.
            close_old_connections()
        return response


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await sync_to_async(_next)(pieces):
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    """Returns the next piece that holds something; b"" at the end."""
    return next(filter(None, pieces), b"")


class Lines:
    """Lets what open pages ask by themselves wait in lines; what a person or an event asks for does not wait for it.

    After a restart all open pages come back at once. Each request takes a thread and a connection to the database:
    many at a time would be slower for all, and some would wait for a connection in vain.
    """

    def __init__(self, application: Application, *, streams: int, polls: int) -> None:
        """Takes how many event streams may be opened, and how many polls be answered, at a time."""
        self._application = application
        self._streams = asyncio.Semaphore(streams)
        self._polls = asyncio.Semaphore(polls)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request, in its turn where there is a line for it."""
        line = self._line(scope)
        if line is None:
            await self._application(scope, receive, send)
            return
        async with line:
            await self._application(scope, receive, send)

    def _line(self, scope: Message) -> asyncio.Semaphore | None:
        if scope.get("path", "").endswith(STREAM_PATH_END):
            return self._streams
        return self._polls if any(name == _POLL_HEADER for name, _ in scope.get("headers", ())) else None
