"""One request carried out: its row written and queued, its end waited for, the render withdrawn if nobody waits.

The end is told by the event that a worker publishes; the row is the truth, and it is read again each second for the
case that the event is lost. A process has one subscription for all who wait.
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
"""Runs a function that may use the database, away from the event loop."""

_LOOK_EVERY_S: Final = 1.0
_SUBSCRIBE_S: Final = 1.0
_RETRY_S: Final = 1.0
_WITHDRAW_AGAIN_S: Final = (0.2, 1.0, 5.0)
# Without a limit in the request: so long beyond what a render may take it waits for its turn.
_TURN_S: Final = 600.0
logger = logging.getLogger(__name__)


class Watch:
    """Wakes those who wait for a render's end, by one subscription for the whole process and event loop."""

    def __init__(self, *, is_kept: bool = False) -> None:
        """Makes one.

        Args:
            is_kept: the subscription stays while nobody waits, so that nobody waits for it.
        """
        self._is_kept = is_kept
        self._waiting: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()

    @contextlib.asynccontextmanager
    async def expect(self, render_id: uuid.UUID) -> AsyncIterator[asyncio.Event]:
        """Gives an event that is set when the render may have ended; enter before the render is queued."""
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
        """Subscribes, unless it has; goes on without a queue server, since the row is read anyway."""
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
    """How long the parts of one request took, in milliseconds."""

    spent_ms: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def end(self, name: str) -> None:
        """Ends a phase, and with it begins the next."""
        now = time.perf_counter()
        self.spent_ms[name] = self.spent_ms.get(name, 0) + 1000 * (now - self._since)
        self._since = now

    def header(self) -> str:
        """The phases as a Server-Timing header."""
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
    """Renders anew and waits for the end. Cancelled while it waits, it withdraws the render.

    Args:
        caller: the owner of what is saved, where an account calls.
        place: as `submission.visualization_create_anew`.

    Raises:
        VisualizationsError: the request is refused.
    """
    phases = phases or Phases()
    render_id = uuid.uuid4()
    async with watch.expect(render_id) as ended:
        submitted = asyncio.ensure_future(run(partial(_fresh, partial(_submit, caller, request, render_id, place))))
        try:
            # The thread goes on whatever becomes of us: only when the row is there can it be withdrawn.
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
    """Waits for the end of a render and returns it."""
    deadline = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(TimeoutError):
            pause_s = min(_LOOK_EVERY_S, max(0.0, deadline - time.monotonic()))
            await asyncio.wait_for(ended.wait(), pause_s)
        phases.end("wait")
        # An event that came too early for the row is not waited for twice.
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
    # These threads serve no Django request, which would do this at its start and its end: while somebody waits for a
    # render, nobody holds a connection.
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
        # Nobody is left to be told; the render ends by its own limit.
        logger.info("render %s: not withdrawn", render_id, exc_info=True)
