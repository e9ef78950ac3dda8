"""Server-sent events: one subscription to the queue server per process, one small queue per browser.

Django only checks permissions. `EventStreams` sends the stream outside of Django, because a long Django request
occupies a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import redis.asyncio
from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from apps.accounts.caller import Caller, caller_of
from apps.telemetry.metrics import EVENT_STREAMS
from apps.visualizations import selectors
from apps.visualizations.events import CHANNEL

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)
STREAM_PATH_END: Final = "/events/"
SCOPE_KEY: Final = "vizportal.event_stream"
PING_S: Final = 15
# A queue server that was cut off never closes the connection, so silence is answered with a ping.
_SILENCE_S: Final = 10
_RETRY_S: Final = 1
# A browser that does not read loses events rather than filling memory; its page polls anyway.
_MAX_WAITING: Final = 100
# After this time the browser reconnects and is checked again; a stream may outlive its session this long.
LIFE_S: Final = 300
_LIFE_SPREAD: Final = 0.2
# Reconnection delay after a lost connection, spread because all browsers lost theirs at once.
_COME_BACK_MS: Final = (1000, 6000)
COME_BACK_SOON_MS: Final = 500
# Something may have changed between page and stream; after a broken connection, for all pages at once.
_FIRST_LOOK_WITHIN_MS: Final = 1000
LOOK_WITHIN_MS: Final = 3000
_ALL: Final = ""
# More than any page names (static/js/live-renders.js).
_MOST_NAMED: Final = 200

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def _look(within_ms: int) -> bytes:
    """Returns an event that tells a page to fetch its live cards at some moment within that time."""
    return _event("look", json.dumps({"within_ms": within_ms}))


class Hub:
    """Forwards each event to the browsers of this process that wait for its render."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Queue[bytes]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ping_timer: asyncio.TimerHandle | None = None

    @property
    def is_listening(self) -> bool:
        """Whether the hub is subscribed or has listeners."""
        return self._task is not None or bool(self._listeners)

    @contextlib.asynccontextmanager
    async def listen(self, ids: Iterable[str] = ()) -> AsyncIterator[asyncio.Queue[bytes]]:
        """Yields a queue of events; the first listener starts the subscription, the last one ends it.

        Args:
            ids: renders whose events are wanted; empty for all.
        """
        queue: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING)
        wanted = frozenset(ids) or {_ALL}
        for each in wanted:
            self._listeners.setdefault(each, set()).add(queue)
        if self._task is None or self._task.done():
            self._start()
        try:
            with EVENT_STREAMS.track_inprogress():
                yield queue
        finally:
            for each in wanted:
                self._listeners[each].discard(queue)
                if not self._listeners[each]:
                    del self._listeners[each]
            if not self._listeners:
                self._stop()

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._pump())
        self._ping()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._ping_timer is not None:
            self._ping_timer.cancel()

    def _ping(self) -> None:
        """Keeps connections open. A single timer serves all: a timeout on each wait would cost more than the event."""
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        self._put(b": ping\n\n", self._everybody())
        self._ping_timer = asyncio.get_running_loop().call_later(PING_S, self._ping)

    def _everybody(self) -> set[asyncio.Queue[bytes]]:
        return {each for several in self._listeners.values() for each in several}

    async def _pump(self) -> None:
        while True:
            try:
                async with redis.asyncio.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    _raise_if_cancelled()
                    await self._pass_on(subscription)
            except (RedisError, OSError) as error:
                logger.info("no events for now: %s", error)
                await asyncio.sleep(_RETRY_S)

    async def _pass_on(self, subscription: Any) -> None:
        """Forwards messages until the connection breaks.

        Raises:
            RedisError, OSError: the connection broke, or the server does not answer.
        """
        is_asked = False
        while True:
            message = await subscription.get_message(timeout=_SILENCE_S)
            if message is None and is_asked:
                raise TimeoutError(f"the queue server has not answered for {_SILENCE_S} s")
            if message is None:
                await subscription.ping()
            elif message["type"] == "subscribe":
                # Events before the subscription are unknown.
                self._put(_look(LOOK_WITHIN_MS), self._everybody())
            elif message["type"] == "message":
                self._spread(message["data"])
            is_asked = message is None

    def _spread(self, payload: bytes) -> None:
        render_id = _render_id(payload)
        if render_id is None:
            logger.warning("an event that is none: %r", payload[:100])
            return
        listeners = self._listeners.get(render_id, set()) | self._listeners.get(_ALL, set())
        self._put(_event("render", payload.decode()), listeners)

    def _put(self, chunk: bytes, listeners: Iterable[asyncio.Queue[bytes]]) -> None:
        for queue in listeners:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(chunk)


def _render_id(payload: bytes) -> str | None:
    try:
        found = json.loads(payload)["id"]
    except (ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _raise_if_cancelled() -> None:
    """Raises a cancellation that arrived while redis-py connected, which does not always propagate it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


hub = Hub()


@dataclass(slots=True)
class StreamOrder:
    """The view's instruction for the stream after its response: ids of renders, empty for all; None for no stream."""

    ids: frozenset[str] | None = None


@require_GET
def events(request: HttpRequest) -> HttpResponse:
    """Begins a stream of events: `render` (JSON: id, visualization, state, cell, cells) and `look` (JSON: within_ms).

    `?render=<id>`, repeatable, limits the stream to renders that the person may see. Without it, events of all renders
    are
    sent, but only to people who may see all. 204 makes the browser stop asking, and its page polls: the response if no
    events could come, and without `EventStreams` around the application.
    """
    order = getattr(request, "scope", {}).get(SCOPE_KEY)
    ids = _ids_allowed(caller_of(request), request.GET.getlist("render"))
    if order is None or ids is None:
        return HttpResponse(status=204)
    order.ids = ids
    response = HttpResponse(content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


def _ids_allowed(caller: Caller, wanted: list[str]) -> frozenset[str] | None:
    """Returns the renders whose events a caller may get; empty for all, None for no stream."""
    if selectors.sees_all_renders(caller):
        return frozenset(wanted)
    return frozenset(map(str, selectors.render_ids_visible(caller, wanted[:_MOST_NAMED]))) or None


@dataclass(frozen=True, slots=True)
class EventStreams:
    """ASGI middleware around Django's application that sends the streams that `events` permits."""

    application: Application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one request; those that are not for a stream go straight to Django."""
        if scope["type"] != "http" or not scope["path"].endswith(STREAM_PATH_END):
            await self.application(scope, receive, send)
            return
        order = StreamOrder()
        is_stream = False

        async def send_head(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = order.ids is not None and message["status"] == 200
            if is_stream:
                message = _unended(message)
            await send(message)

        await self.application({**scope, SCOPE_KEY: order}, receive, send_head)
        if is_stream:
            await _follow(order.ids or frozenset(), receive, send)


def _unended(message: Message) -> Message:
    """Returns a response message without a length, marked as unfinished."""
    if message["type"] == "http.response.body":
        return {**message, "more_body": True}
    return {**message, "headers": [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]}


async def _follow(ids: frozenset[str], receive: Receive, send: Send) -> None:
    """Sends events until the browser disconnects or the stream reaches its maximum age."""

    async def write(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def await_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        # Wakes the writer if it waits; with a full queue it does not wait.
        with contextlib.suppress(asyncio.QueueFull):
            queue.put_nowait(b"")

    loop = asyncio.get_running_loop()
    ends_at = loop.time() + LIFE_S * random.uniform(1 - _LIFE_SPREAD, 1 + _LIFE_SPREAD)  # noqa: S311
    async with hub.listen(ids) as queue:
        gone = loop.create_task(await_gone())
        try:
            come_back_ms = random.randint(*_COME_BACK_MS)  # noqa: S311
            await write(b": hello\nretry: %d\n" % come_back_ms + _look(_FIRST_LOOK_WITHIN_MS))
            # The condition is checked at least with each ping.
            while not gone.done() and loop.time() < ends_at:
                await write(await _next(queue))
            await write(b"retry: %d\n\n" % COME_BACK_SOON_MS)
        finally:
            gone.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(queue: asyncio.Queue[bytes]) -> bytes:
    """Waits for the first chunk, and returns all queued chunks at once."""
    chunks = [await queue.get()]
    while not queue.empty():
        chunks.append(queue.get_nowait())
    return b"".join(chunks)
