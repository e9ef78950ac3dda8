"""One worker's hold on one render: every change is one UPDATE that names the attempt, so late writes fall away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.visualizations.events import publish
from apps.visualizations.models import Render, RenderState

LEASE = timedelta(seconds=30)
BEAT_EVERY_S = 5.0
LOOK_EVERY_S = 0.4
# Fetching, starting and exporting come on top of the time the code itself may take.
GRACE = timedelta(seconds=120)
_FINISH_PATIENCE_S = 60.0
logger = logging.getLogger(__name__)


def render_claim(render_id: str | UUID, attempt: int) -> Render | None:
    """Takes a queued render for this worker; None where another attempt, another worker or a cancel was first."""
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
    publish(render)
    return render


@dataclass(slots=True)
class Lease:
    """The hold itself: `beat` keeps it, `is_cancelled` tells when to stop.

    Attributes:
        on_beat: called with each beat, written or not, and told for how many seconds none will come; 0 for the usual.
        is_lost: the row says that this attempt no longer counts.
    """

    render: Render
    on_beat: Callable[[float], None] = lambda _silent_s: None
    is_lost: bool = False
    _is_cancelled: bool = False
    _beaten: float = field(default_factory=time.monotonic)
    _looked: float = 0.0

    def beat(self, cell: int = 0, cells: int = 0) -> None:
        """Renews the lease each BEAT_EVERY_S seconds, and at once when the cell changes."""
        self.on_beat(0)
        moved = (cell, cells) != (self.render.cell, self.render.cells) and cells > 0
        if not moved and time.monotonic() - self._beaten < BEAT_EVERY_S:
            return
        self._beaten = time.monotonic()
        values: dict[str, Any] = {"lease_until": timezone.now() + LEASE}
        if moved:
            self.render.cell, self.render.cells = cell, cells
            values |= {"cell": cell, "cells": cells}
        try:
            self.is_lost = not _running(self.render).update(**values)
        except DatabaseError:
            # A database that is away for a moment must not end a render; the lease lasts several beats.
            logger.warning("render %s: heartbeat not written", self.render.id, exc_info=True)
            return
        if moved and not self.is_lost:
            publish(self.render)

    def hold(self, seconds: float) -> None:
        """Renews the lease for longer than usual: nothing beats while a result is on its way into the store."""
        self.on_beat(seconds)
        self._beaten = time.monotonic()
        until = timezone.now() + LEASE + timedelta(seconds=seconds)
        deadline = max(self.render.deadline or until, until)
        try:
            _running(self.render).update(lease_until=until, deadline=deadline)
        except DatabaseError:
            logger.warning("render %s: lease not renewed", self.render.id, exc_info=True)

    def is_cancelled(self) -> bool:
        """Whether to stop: somebody asked, or the attempt no longer counts. Looks at most each LOOK_EVERY_S seconds."""
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
        """Ends the lease now, so that the reconciler need not wait for it: this worker is being stopped."""
        _running(self.render).update(lease_until=timezone.now())


def _running(render: Render) -> Any:
    return Render.objects.filter(id=render.id, attempt=render.attempt, state=RenderState.RUNNING)


def render_finish(render: Render, *, state: RenderState, **values: Any) -> bool:
    """Writes the end of this attempt in one UPDATE.

    A database that is away is waited for, up to a minute: the work is done and must not be lost.

    Returns:
        False where the row had moved on (cancelled, timed out, a newer attempt): nothing was written.
    """
    values |= {"state": state, "finished_at": timezone.now(), "lease_until": None}
    until = time.monotonic() + _FINISH_PATIENCE_S
    while True:
        try:
            written = bool(_running(render).update(**values))
            break
        except (OperationalError, InterfaceError):
            if time.monotonic() > until:
                raise
            logger.warning("render %s: the database is away, trying again", render.id)
            connection.close_if_unusable_or_obsolete()
            threading.Event().wait(0.5)
    if not written:
        logger.info("render %s attempt %s: came too late, dropped", render.id, render.attempt)
        return False
    for name, value in values.items():
        setattr(render, name, value)
    publish(render, is_end=True)
    return True
