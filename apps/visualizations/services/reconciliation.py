"""Repairs what crashes leave behind: lost workers, lost jobs, renders past their deadline, orphaned files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import django_rq
from django.db import DatabaseError
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from redis.exceptions import LockError, RedisError

from apps.visualizations import job_queue
from apps.visualizations.events import connection_get, publish
from apps.visualizations.models import Render
from apps.visualizations.services.hosts import work_dirs_sweep
from apps.visualizations.services.indexing import index_fill, outcome_note
from apps.visualizations.services.lease import BEAT_EVERY_S, LEASE, holder_lives
from apps.visualizations.services.pruning import UNDO, visualizations_purge
from apps.visualizations.services.recipes import recipes_fill
from apps.visualizations.states import ACTIVE_STATES, Reason, RenderState

MAX_LOSSES = 2
# Rows of an older version get their recipes in batches, so that no pass takes long.
_MOST_RECIPES = 200
# No code of a render runs before its claim, so a job that was lost earlier says little about the render.
_MAX_UNCLAIMED = 5
# A job that a worker has just taken is no longer in the queue, though its row still says queued.
_QUEUE_QUIET = timedelta(seconds=10)
_LOCK = "vizportal:reconcile"
# A killed reconciler blocks the others this long. Concurrent passes do no harm.
LOCK_S = 15
_LEAST_JUMP_S = 5.0
_PASSED_AT = "vizportal:reconciled_at"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What one pass changed, counted in renders; `work_dirs` counts directories.

    `recipes`, `indexed` and `purged` count visualizations: those that got a recipe, those that got search columns, and
    those that were purged a day after their deletion.

    `parts`: counts of higher apps, by registered name.
    `is_idle`: another reconciler held the lock, so this pass did nothing.
    """

    cancelled: int = 0
    timed_out: int = 0
    tried_again: int = 0
    lost: int = 0
    poisoned: int = 0
    enqueued: int = 0
    work_dirs: int = 0
    recipes: int = 0
    indexed: int = 0
    purged: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    is_idle: bool = False

    def __str__(self) -> str:
        names = [each.name for each in fields(self) if each.name not in {"parts", "is_idle"}]
        counts = {name: getattr(self, name) for name in names} | dict(self.parts)
        return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing to do"


_parts: dict[str, Callable[[], int]] = {}


def part_register(name: str, work: Callable[[], int]) -> None:
    """Registers work that a higher app does in each pass; `work` returns how much it did.

    Its errors are logged and do not stop the pass. It must be safe to run concurrently and take a few seconds at most.
    """
    _parts[name] = work


def _parts_work() -> dict[str, int]:
    done = {}
    for name, work in _parts.items():
        try:
            done[name] = work()
        except DatabaseError:
            raise
        except Exception:
            logger.exception("reconcile: %s failed", name)
    return done


@contextmanager
def _one_holder() -> Iterator[bool]:
    """Yields whether this pass may proceed. Without the queue server it may: every change is conditional anyway."""
    try:
        lock = django_rq.get_connection("render-base").lock(_LOCK, timeout=LOCK_S, blocking=False)
        is_held = lock.acquire()
    except (RedisError, OSError):
        yield True
        return
    try:
        yield is_held
    finally:
        if is_held:
            _release(lock)


def _release(lock: Any) -> None:
    try:
        lock.release()
    except (LockError, RedisError, OSError) as error:
        logger.info("reconcile: lock not released: %s", error)


@dataclass(slots=True)
class ClockWatch:
    """State that a reconciler keeps between passes: clock jumps, and whether a pass has just failed."""

    _offset_s: float = field(default_factory=lambda: time.time() - time.monotonic())
    _quiet_until: float = float("-inf")

    def jump(self) -> timedelta:
        """Returns by how much the clock was set since the last call; zero for the small steps of time keeping."""
        offset_s = time.time() - time.monotonic()
        jump_s, self._offset_s = offset_s - self._offset_s, offset_s
        return timedelta(seconds=jump_s) if abs(jump_s) > _LEAST_JUMP_S else timedelta()

    def miss(self) -> None:
        """Notes a failed pass: workers could not write either, so they get three heartbeats' time to do so."""
        self._quiet_until = time.monotonic() + 3 * BEAT_EVERY_S

    @property
    def is_quiet(self) -> bool:
        """Whether silent workers may still be alive."""
        return time.monotonic() < self._quiet_until


def reconcile(clock: ClockWatch | None = None) -> Reconciliation:
    """Makes one pass. Safe at any time, and concurrently with other passes.

    Args:
        clock: kept between passes, to move leases and deadlines when the system clock is set; None for a single pass.
    """
    jump = clock.jump() if clock else timedelta()
    with _one_holder() as is_held:
        if not is_held:
            return Reconciliation(is_idle=True)
        if jump:
            _move_times(jump)
        now = timezone.now()
        cancelled = _finish_cancels(now)
        timed_out = _finish_overdue(now)
        is_quiet = clock is not None and clock.is_quiet
        tried_again, lost, poisoned = (0, 0, 0) if is_quiet else _handle_lost_workers(now)
        done = Reconciliation(
            cancelled=cancelled,
            timed_out=timed_out,
            tried_again=tried_again,
            lost=lost,
            poisoned=poisoned,
            enqueued=_enqueue_forgotten(now),
            work_dirs=work_dirs_sweep(),
            recipes=recipes_fill(_MOST_RECIPES),
            indexed=index_fill(_MOST_RECIPES),
            purged=visualizations_purge(now - UNDO),
            parts=_parts_work(),
        )
        _publish_pass()
        return done


def _publish_pass() -> None:
    """Publishes the time of this pass for monitoring."""
    try:
        connection_get().set(_PASSED_AT, f"{time.time():.3f}")
    except (RedisError, OSError) as error:
        logger.info("reconcile: time of this pass not kept: %s", error)


def pass_read() -> float | None:
    """Returns when the latest pass of any reconciler ended, as a Unix timestamp; None if unknown.

    Raises:
        RedisError: the queue server does not answer.
    """
    found = connection_get().get(_PASSED_AT)
    return float(found) if found else None


def _move_times(jump: timedelta) -> None:
    """Shifts leases and deadlines by a clock jump: otherwise all running renders would count as lost, or none would."""
    logger.warning("reconcile: the clock was set by %s; leases and deadlines are moved with it", jump)
    running = Render.objects.filter(state=RenderState.RUNNING)
    running.update(lease_until=F("lease_until") + jump, deadline=F("deadline") + jump)


def _lease_out(now: datetime, **more: Any) -> list[Render]:
    """Returns the running renders whose worker is gone: their lease has expired and it shows no sign of life."""
    # A worker that died before its first heartbeat left no lease.
    running = Render.objects.filter(state=RenderState.RUNNING, **more)
    held = running.annotate(held_until=Coalesce("lease_until", F("started_at") + LEASE))
    return [render for render in held.filter(held_until__lt=now) if not holder_lives(render)]


def _end(render: Render, *, state: RenderState, **values: Any) -> bool:
    """Ends or re-queues a render, unless its row has changed since it was read."""
    same = Render.objects.filter(id=render.id, attempt=render.attempt, state=render.state)
    if not same.update(lease_until=None, state=state, **values):
        return False
    outcome_note(render, state)
    render.refresh_from_db()
    publish(render, is_end=state not in ACTIVE_STATES)
    return True


def _finish_cancels(now: datetime) -> int:
    """Ends cancelled renders whose worker is gone; a living worker ends its own."""
    waiting = Render.objects.filter(state=RenderState.QUEUED, cancel_requested_at__isnull=False)
    gone = _lease_out(now, cancel_requested_at__isnull=False)
    values = {
        "reason": Reason.CANCELLED,
        "message": "Cancelled.",
        "finished_at": now,
    }
    return sum(_end(render, state=RenderState.CANCELLED, **values) for render in [*waiting, *gone])


def _finish_overdue(now: datetime) -> int:
    overdue = Render.objects.filter(state=RenderState.RUNNING, deadline__lt=now)
    return sum(
        _end(
            render,
            state=RenderState.TIMED_OUT,
            reason=Reason.TIMED_OUT,
            message=f"Stopped: it was not done long after its limit of {render.timeout_s:g} s.",
            finished_at=now,
        )
        for render in overdue
    )


def _handle_lost_workers(now: datetime) -> tuple[int, int, int]:
    """Re-queues the renders of vanished workers, or gives them up.

    Returns:
        The numbers of renders that are tried again, that are lost, and that took too many workers with them.
    """
    tried_again = lost = poisoned = 0
    for render in _lease_out(now, cancel_requested_at=None):
        if render.losses + 1 >= MAX_LOSSES:
            poisoned += _give_up(render, now)
        elif render.is_custom:
            # Custom code may have side effects; running it twice is its owner's decision.
            lost += _end(
                render,
                state=RenderState.LOST,
                reason=Reason.WORKER_LOST,
                message="The worker vanished while it ran this code. It was not started again automatically.",
                losses=render.losses + 1,
                finished_at=now,
            )
        else:
            tried_again += _try_again(render, now)
    return tried_again, lost, poisoned


def _give_up(render: Render, now: datetime) -> bool:
    message = f"{MAX_LOSSES} attempts were lost with their worker or host, so it is not tried again."
    return _end(
        render,
        state=RenderState.FAILED,
        reason=Reason.POISON,
        message=message,
        losses=render.losses + 1,
        finished_at=now,
    )


def _try_again(render: Render, now: datetime) -> bool:
    values = {
        "attempt": render.attempt + 1,
        "losses": render.losses + 1,
        "queued_at": now,
        "started_at": None,
        "deadline": None,
        "cell": 0,
        "cells": 0,
    }
    if not _end(render, state=RenderState.QUEUED, **values):
        return False
    job_queue.render_enqueue(render)
    return True


def _enqueue_forgotten(now: datetime) -> int:
    """Queues again what the queue no longer has: jobs lost between commit and enqueue, or by FLUSHALL."""
    enqueued = 0
    for environment in _queued(now).values_list("environment", flat=True).distinct():
        try:
            known = job_queue.job_ids(environment)
        except (RedisError, OSError, KeyError) as error:
            logger.warning("reconcile: queue of %s not read: %s", environment, error)
            continue
        for render in _queued(now).filter(environment=environment):
            if job_queue.job_id(render) not in known:
                enqueued += _enqueue_again(render, now)
    return enqueued


def _queued(now: datetime) -> QuerySet[Render]:
    return Render.objects.filter(
        Q(queued_at__lt=now - _QUEUE_QUIET), state=RenderState.QUEUED, cancel_requested_at=None
    ).order_by()


def _enqueue_again(render: Render, now: datetime) -> bool:
    """Queues a missing job again. A job that exists outside the queue died with its worker or was refused: a loss."""
    if not job_queue.job_exists(render):
        return job_queue.render_enqueue(render)
    if job_queue.job_is_taken(render):
        return False
    if render.losses + 1 >= _MAX_UNCLAIMED:
        return _give_up(render, now)
    return _try_again(render, now)
