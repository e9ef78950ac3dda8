"""Live output of a running render, kept for minutes in the queue server and never in the database."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError
from renderer import Progress

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.events import connection_get, publish
from apps.visualizations.models import Render

_KEY: Final = "vizportal:live:"
_KEEP_S: Final = 300
_TELL_EVERY_S: Final = 0.5
# Longer than any environment takes to start.
_PHASE_KEEP_S: Final = 3600
_phases: dict[Any, str] = {}
_told: dict[Any, tuple[float, str]] = {}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A render's output so far.

    Attributes:
        log: the end of the printed output.
        page_number: number of pages published so far; 0 for none.
        phase: "host" while the environment is starting; "" afterwards.
    """

    log: str = ""
    phase: str = ""
    page_number: int = 0


def live_publish(render: Render, progress: Progress) -> None:
    """Publishes a running render's log and page for the web processes. Best effort."""
    at, log = _told.get(render.id, (0.0, ""))
    is_due = time.monotonic() - at > _TELL_EVERY_S and progress.log != log
    if not is_due and progress.page is None:
        return
    _told.clear()  # a worker has one render at a time
    _told[render.id] = (time.monotonic(), progress.log)
    key = f"{_KEY}{render.id}"
    try:
        with connection_get().pipeline() as pipe:
            pipe.hset(key, "log", progress.log.encode())
            if progress.page is not None:
                pipe.hset(key, "page", progress.page)
                pipe.hincrby(key, "page_number", 1)
            pipe.expire(key, _KEEP_S)
            pipe.execute()
    except (RedisError, OSError) as error:
        logger.info("render %s: output so far not kept: %s", render.id, error)


def live_publish_phase(render: Render, phase: str) -> None:
    """Publishes what a render is waiting for, and notifies open pages if that changed. Best effort."""
    if _phases.get(render.id, "") == phase:
        return
    _phases.clear()
    _phases[render.id] = phase
    key = f"{_KEY}{render.id}"
    try:
        with connection_get().pipeline() as pipe:
            pipe.hset(key, "phase", phase)
            pipe.expire(key, _PHASE_KEEP_S)
            pipe.execute()
    except (RedisError, OSError) as error:
        logger.info("render %s: phase not kept: %s", render.id, error)
        return
    publish(render)


def live_read(caller: Caller, render: Render) -> Live:
    """Returns the output so far; empty if there is none or the queue server does not answer.

    Args:
        render: from a selector that checked this caller's permission.
    """
    caller.require(Right.VIEW)
    try:
        log, number, phase = connection_get().hmget(f"{_KEY}{render.id}", "log", "page_number", "phase")
    except (RedisError, OSError):
        return Live()
    return Live(
        log=(log or b"").decode("utf-8", "replace"),
        page_number=int(number or 0),
        phase=(phase or b"").decode("ascii", "replace"),
    )


def live_page(caller: Caller, render: Render) -> bytes | None:
    """Returns the page so far; None if there is none.

    Args:
        render: from a selector that checked this caller's permission.
    """
    caller.require(Right.VIEW)
    try:
        page: bytes | None = connection_get().hget(f"{_KEY}{render.id}", "page")
    except (RedisError, OSError):
        return None
    return page
