"""A worker's hold on a render: each change is one UPDATE that names the attempt, so late writes have no effect."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError
from renderer import KeyFigure

from apps.visualizations.events import connection_get, publish
from apps.visualizations.models import Render, RenderFigure
from apps.visualizations.services.indexing import outcome_note
from apps.visualizations.states import RenderState

LEASE = timedelta(seconds=15)
BEAT_EVERY_S = 3.0
LOOK_EVERY_S = 0.4
# Fetching, starting and exporting are not part of the code's own time limit.
GRACE = timedelta(seconds=120)
# The work is done, and without the database there is nothing else to do.
_FINISH_PATIENCE_S = 300.0
CLAIM_PATIENCE_S = 30.0
_HOLDER_KEY: Final = "vizportal:holder:"
_T = TypeVar("_T")
logger = logging.getLogger(__name__)


def render_claim(render_id: str | UUID, attempt: int) -> Render | None:
    """Claims a queued render for this worker; None if another attempt, another worker or a cancel came first.

    Raises:
        OperationalError: the database was away or full for half a minute. The render stays queued.
    """
    return _patiently(lambda: _claim(render_id, attempt), CLAIM_PATIENCE_S, f"render {render_id}")


def _claim(render_id: str | UUID, attempt: int) -> Render | None:
    now = timezone.now()
    queued = Render.objects.filter(id=render_id, attempt=attempt, state=RenderState.QUEUED, cancel_requested_at=None)
    render = queued.select_related("visualization", "requested_by").first()
    if render is None:
        return None
    values = {
        "state": RenderState.RUNNING,
        "started_at": now,
        "lease_until": now + LEASE,
        "deadline": now + timedelta(seconds=render.timeout_s) + GRACE,
        "cell": 0,
        "cells": 0,
    }
    if not queued.update(**values):
        return None
    for name, value in values.items():
        setattr(render, name, value)
    _publish_holder(render)
    publish(render)
    return render


def _holder_key(render: Render) -> str:
    return f"{_HOLDER_KEY}{render.id}:{render.attempt}"


def _publish_holder(render: Render) -> None:
    """Marks this attempt's worker as alive in the queue server, in case the database is away."""
    try:
        connection_get().set(_holder_key(render), "1", ex=int(LEASE.total_seconds()))
    except (RedisError, OSError) as error:
        logger.info("render %s: its holder is not told: %s", render.id, error)


def holder_lives(render: Render) -> bool:
    """Whether the worker of a render's current attempt reported itself alive within the length of a lease.

    False if the queue server does not answer: then only the lease in the row counts.
    """
    try:
        return bool(connection_get().exists(_holder_key(render)))
    except (RedisError, OSError):
        return False


@contextmanager
def lease_kept(lease: Lease) -> Iterator[None]:
    """Renews a lease from a separate thread, so that a worker with a blocked or starved loop is not taken for lost."""
    stop = threading.Event()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_keep, lease, stop), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(lease: Lease, stop: threading.Event) -> None:
    try:
        while not stop.wait(BEAT_EVERY_S):
            lease.renew()
    finally:
        # The thread opened its own database connection with its first beat.
        connection.close()


@dataclass(slots=True)
class Lease:
    """A worker's hold: `lease_kept` renews it, `beat` writes progress, `is_cancelled` tells when to stop.

    Attributes:
        on_beat: called with each beat, written or not, with the seconds for which no beat will follow; 0 for the usual
            interval.
        is_lost: the row shows that this attempt no longer counts.
    """

    render: Render
    on_beat: Callable[[float], None] = lambda _silent_s: None
    is_lost: bool = False
    _is_cancelled: bool = False
    _beaten: float = field(default_factory=time.monotonic)
    # Claiming the render has just read its row.
    _looked: float = field(default_factory=time.monotonic)

    def beat(self, cell: int = 0, cells: int = 0) -> None:
        """Writes the cell if it changed, which also renews the lease; otherwise renews it only if overdue."""
        self.on_beat(0)
        moved = (cell, cells) != (self.render.cell, self.render.cells) and cells > 0
        if not moved and time.monotonic() - self._beaten < 2 * BEAT_EVERY_S:
            return
        self._beaten = time.monotonic()
        _publish_holder(self.render)
        values: dict[str, Any] = {"lease_until": timezone.now() + LEASE}
        if moved:
            self.render.cell, self.render.cells = cell, cells
            values |= {"cell": cell, "cells": cells}
        try:
            self.is_lost = not _running(self.render).update(**values)
        except DatabaseError:
            # A database that is briefly away must not end a render; the lease outlasts several beats.
            logger.warning("render %s: heartbeat not written", self.render.id, exc_info=True)
            return
        if moved and not self.is_lost:
            publish(self.render)

    def renew(self) -> None:
        """Renews the lease now."""
        self._beaten = time.monotonic()
        self.on_beat(0)
        _publish_holder(self.render)
        try:
            self.is_lost = not _running(self.render).update(lease_until=timezone.now() + LEASE)
        except DatabaseError:
            # A database that is briefly away must not end a render.
            logger.warning("render %s: heartbeat not written", self.render.id, exc_info=True)

    def allow(self, seconds: float) -> None:
        """Extends the deadline by a phase of up to `seconds` that does not count towards the code's own time."""
        self.on_beat(seconds)
        until = timezone.now() + LEASE + timedelta(seconds=seconds)
        if self.render.deadline is not None and self.render.deadline >= until:
            return
        try:
            _running(self.render).update(deadline=until)
        except DatabaseError:
            logger.warning("render %s: deadline not moved", self.render.id, exc_info=True)
            return
        self.render.deadline = until

    def is_cancelled(self) -> bool:
        """Whether to stop: cancelled, or a new attempt began. Reads the row at most every LOOK_EVERY_S seconds."""
        if self.is_lost or self._is_cancelled or time.monotonic() - self._looked < LOOK_EVERY_S:
            return self.is_lost or self._is_cancelled
        self._looked = time.monotonic()
        try:
            asked = list(_running(self.render).values_list("cancel_requested_at", flat=True))
            self.is_lost = not asked
            self._is_cancelled = any(asked)
        except DatabaseError:
            logger.warning("render %s: row not read", self.render.id, exc_info=True)
        return self.is_lost or self._is_cancelled

    def release(self) -> None:
        """Ends the lease now, because this worker is being stopped: the reconciler need not wait for its expiry."""
        with suppress(RedisError, OSError):
            connection_get().delete(_holder_key(self.render))
        _running(self.render).update(lease_until=timezone.now())


def _running(render: Render) -> Any:
    return Render.objects.filter(id=render.id, attempt=render.attempt, state=RenderState.RUNNING)


def render_finish(render: Render, *, state: RenderState, figures: Sequence[KeyFigure] = (), **values: Any) -> bool:
    """Writes the end of this attempt in one UPDATE, together with its key figures.

    Waits up to five minutes for a database that is away or full: the work is done and must not be lost.

    Returns:
        False if the row had moved on (cancelled, timed out, a newer attempt); nothing was written.
    """
    values |= {"state": state, "finished_at": timezone.now(), "lease_until": None}
    if not _write(render, values, figures):
        logger.info("render %s attempt %s: came too late, dropped", render.id, render.attempt)
        return False
    publish(render, is_end=True)
    return True


def render_give_back(render: Render) -> bool:
    """Returns a render to the state `queued` as its next attempt; the caller queues the job.

    Returns:
        False if the row had moved on.
    """
    values = {
        "state": RenderState.QUEUED,
        "attempt": render.attempt + 1,
        "losses": render.losses + 1,
        "queued_at": timezone.now(),
        "started_at": None,
        "deadline": None,
        "lease_until": None,
        "cell": 0,
        "cells": 0,
    }
    if not _write(render, values):
        return False
    publish(render)
    return True


def _write(render: Render, values: dict[str, Any], figures: Sequence[KeyFigure] = ()) -> bool:
    written = _patiently(lambda: _update(render, values, figures), _FINISH_PATIENCE_S, f"render {render.id}")
    if written:
        for name, value in values.items():
            setattr(render, name, value)
    return bool(written)


def _update(render: Render, values: dict[str, Any], figures: Sequence[KeyFigure]) -> int:
    with transaction.atomic():
        written = int(_running(render).update(**values))
        if written:
            outcome_note(render, values["state"])
            RenderFigure.objects.bulk_create(RenderFigure(render=render, **asdict(each)) for each in figures)
    return written


def _patiently(write: Callable[[], _T], patience_s: float, what: str) -> _T:
    until = time.monotonic() + patience_s
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until:
                raise
            logger.warning("%s: the database does not take it (%s), trying again", what, error)
            connection.close_if_unusable_or_obsolete()
            threading.Event().wait(0.5)
