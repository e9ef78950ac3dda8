"""Carries out a request: writes and queues its render, waits for its end, cancels it if nobody waits any more.

An event from the worker reports the end. The row is authoritative, and is read every second in case an event is lost. A
process has one subscription for all waiting requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from apps.accounts.caller import Caller
from apps.kfp_service.ends import End, end_read
from apps.kfp_service.protocol import KubeflowRequest
from apps.visualizations import selectors
from apps.visualizations.events import ENDED_CHANNEL
from apps.visualizations.services import cancellation, submission
from apps.visualizations.services.requests import VisualizationRequest
from apps.visualizations.states import RenderState

_T = TypeVar("_T")
Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a function that may use the database, outside the event loop."""

_LOOK_EVERY_S: Final = 1.0
_SUBSCRIBE_S: Final = 1.0
_RETRY_S: Final = 1.0
_WITHDRAW_AGAIN_S: Final = (0.2, 1.0, 5.0)
# Without a limit in the request, it waits this much longer than a render may run.
_TURN_S: Final = 600.0
logger = logging.getLogger(__name__)


class Watch:
    """Wakes requests when their renders end, with a single subscription per process and event loop."""

    def __init__(self, *, is_kept: bool = False) -> None:
        """Creates a watch without subscribing.

        Args:
            is_kept: keep the subscription even if nobody waits, so that requests need not wait for it.
        """
        self._is_kept = is_kept
        self._waiting: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()

    @contextlib.asynccontextmanager
    async def expect(self, render_id: uuid.UUID) -> AsyncIterator[asyncio.Event]:
        """Yields an event that is set when the render may have ended; enter before queueing the render."""
        name, ended = str(render_id), asyncio.Event()
        self._waiting[name] = ended
        try:
            await self.start()
            yield ended
        finally:
            del self._waiting[name]
            if not self._waiting and not self._is_kept:
                await self.stop()

    async def start(self) -> None:
        """Subscribes unless subscribed; continues without a queue server, since the row is polled anyway."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())
        if not self._is_listening.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_listening.wait(), _SUBSCRIBE_S)

    async def stop(self) -> None:
        """Ends the subscription."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with redis.asyncio.from_url(_queue_url()) as client, client.pubsub() as subscription:
                    await subscription.subscribe(ENDED_CHANNEL)
                    async for message in subscription.listen():
                        self._take(message)
            except (RedisError, OSError) as error:
                logger.info("no events for now: %s", error)
                await asyncio.sleep(_RETRY_S)
            finally:
                self._is_listening.clear()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._is_listening.set()
        elif message["type"] == "message" and (ended := self._waiting.get(message["data"].decode())):
            ended.set()


def _queue_url() -> str:
    return str(settings.RQ_QUEUES["render-base"]["URL"])


@dataclass(slots=True)
class Phases:
    """Durations of the phases of a request, in milliseconds."""

    spent_ms: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def end(self, name: str) -> None:
        """Ends a phase, and starts the next one."""
        now = time.perf_counter()
        self.spent_ms[name] = self.spent_ms.get(name, 0) + 1000 * (now - self._since)
        self._since = now

    def header(self) -> str:
        """Returns the phases as a Server-Timing header."""
        return ", ".join(f"{name};dur={spent:.2f}" for name, spent in self.spent_ms.items())


async def visualization_render(
    caller: Caller,
    request: KubeflowRequest,
    *,
    run: Run,
    watch: Watch,
    phases: Phases | None = None,
    place: tuple[str, str] = ("", ""),
) -> End:
    """Renders anew and waits for the end. If cancelled meanwhile, it cancels the render.

    Args:
        caller: owns the saved visualization, if it is an account.
        place: see `submission.visualization_create_anew`.

    Raises:
        VisualizationsError: the request is refused.
    """
    phases = phases or Phases()
    render_id = uuid.uuid4()
    async with watch.expect(render_id) as ended:
        submitted = asyncio.ensure_future(run(partial(_fresh, partial(_submit, caller, request, render_id, place))))
        try:
            # The thread continues even if this task is cancelled; the render can only be cancelled once its row exists.
            await asyncio.shield(submitted)
            phases.end("submit")
            return await render_end(caller, render_id, ended, run, phases, _patience_s(request))
        except asyncio.CancelledError:
            await asyncio.shield(_withdraw(caller, render_id, submitted, run))
            raise


def _submit(caller: Caller, request: KubeflowRequest, render_id: uuid.UUID, place: tuple[str, str]) -> None:
    submission.visualization_create_anew(caller, _order(request), render_id, place=place)


def _order(request: KubeflowRequest) -> VisualizationRequest:
    kind = selectors.type_get(request.type_key)
    limit = None if request.timeout_s is None else min(request.timeout_s, float(settings.KERNEL_TIMEOUT))
    return VisualizationRequest(
        type_key=request.type_key,
        source=request.source,
        arguments=request.arguments,
        code=request.code,
        title=f"{kind.title} (Kubeflow service)",
        options={} if limit is None else {"timeout_s": limit},
        force=True,
    )


def _patience_s(request: KubeflowRequest) -> float:
    return settings.KERNEL_TIMEOUT + _TURN_S if request.timeout_s is None else request.timeout_s


async def render_end(
    caller: Caller, render_id: uuid.UUID, ended: asyncio.Event, run: Run, phases: Phases, patience_s: float
) -> End:
    """Waits for the end of a render and returns it; at the time limit, cancels the render."""
    deadline = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(TimeoutError):
            pause_s = min(_LOOK_EVERY_S, max(0.0, deadline - time.monotonic()))
            await asyncio.wait_for(ended.wait(), pause_s)
        phases.end("wait")
        # An event may precede the row's change; clear it, so that the next wait does not return at once.
        ended.clear()
        found: End | None = await run(partial(_fresh, partial(_look, caller, render_id)))
        phases.end("read")
        if found is not None:
            return found
        if time.monotonic() >= deadline:
            await run(partial(_fresh, partial(cancellation.render_cancel_unfinished, caller, render_id)))
            message = f"Not done within the {patience_s:g} s that this request may take."
            return End(render_id=render_id, state=RenderState.TIMED_OUT, message=message)


def _look(caller: Caller, render_id: uuid.UUID) -> End | None:
    try:
        return end_read(caller, render_id)
    except DatabaseError:
        logger.warning("render %s: row not read", render_id, exc_info=True)
        return None


def _fresh(function: Callable[[], _T]) -> _T:
    # These threads serve no Django requests, which would close old connections at their start and end. Nobody should
    # hold a connection while waiting for a render.
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()


async def _withdraw(caller: Caller, render_id: uuid.UUID, submitted: asyncio.Future[Any], run: Run) -> None:
    try:
        await submitted
        for pause_s in (*_WITHDRAW_AGAIN_S, None):
            try:
                await run(partial(_fresh, partial(cancellation.render_cancel_unfinished, caller, render_id)))
            except DatabaseError:
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                return
    except Exception:
        # No client is left to inform; the render ends by its own limit.
        logger.info("render %s: not withdrawn", render_id, exc_info=True)
