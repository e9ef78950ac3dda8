"""Server-sent events: one subscription to the queue's server for the whole process, one small queue per browser."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import redis.asyncio
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from redis.exceptions import RedisError

from apps.visualizations.events import CHANNEL

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

logger = logging.getLogger(__name__)
_PING_S: Final = 15
_RETRY_S: Final = 2
# A browser that does not read loses events, not our memory; its page polls anyway.
_MAX_WAITING: Final = 100


class Hub:
    """Passes each event on to every browser that listens to this process."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[bytes]]:
        """Gives a queue of events for as long as the context lasts; the first listener starts the subscription."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._pump())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _pump(self) -> None:
        while True:
            try:
                async with redis.asyncio.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for message in subscription.listen():
                        if message["type"] == "message":
                            self._spread(message["data"])
            except (RedisError, OSError) as error:
                logger.info("no events for now: %s", error)
                await asyncio.sleep(_RETRY_S)

    def _spread(self, payload: bytes) -> None:
        for queue in self._listeners:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(payload)


_hub = Hub()


async def events(request: HttpRequest) -> HttpResponseBase:
    """Streams `render` events (JSON: id, visualization, state, cell, cells) until the browser goes away.

    Events name ids and states only; what they stand for is fetched with the person's own rights. Without ASGI there
    is no stream: 204 tells the browser to stop asking, and its page polls.
    """
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    response = StreamingHttpResponse(_stream(), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _stream() -> AsyncIterator[bytes]:
    async with _hub.listen() as queue:
        yield b": hello\n\n"
        while True:
            try:
                payload = await asyncio.wait_for(queue.get(), _PING_S)
            except TimeoutError:
                yield b": ping\n\n"
            else:
                yield b"event: render\ndata: " + payload + b"\n\n"
