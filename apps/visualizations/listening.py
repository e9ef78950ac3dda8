"""A worker that skips paused queues, and notices within seconds when they are resumed."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from django.db import DatabaseError, close_old_connections
from rq.worker.base import StopRequested

from apps.telemetry.worker import MonitoredWorker
from apps.visualizations import turns
from apps.visualizations.environments import environment_of

_SUSPENSION_EVERY_S: Final = 1.0
# How long an idle worker waits for a job before it checks for pauses and resumptions.
_LOOK_EVERY_S: Final = 5
logger = logging.getLogger(__name__)


class PausableWorker(MonitoredWorker):
    """Takes jobs only from queues that are not paused. A job taken just before a pause is put back by `dispatch`.

    While all of its queues are paused, the worker waits, as after `rq suspend`; in burst mode it ends.
    """

    _asked_at = float("-inf")
    _ordered_queues: list[Any]

    @property
    def dequeue_timeout(self) -> int:
        """Seconds to wait for a job before the next heartbeat."""
        return _LOOK_EVERY_S

    def queues_by_environment(self) -> dict[str, Any]:
        """Returns the queues that this worker serves, including paused ones."""
        return {environment_of(queue.name): queue for queue in self.queues}

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001  (rq's own signature)
        """Checks once a second for `rq suspend` and paused queues, and waits as long as they last."""
        if time.monotonic() - self._asked_at >= _SUSPENSION_EVERY_S:
            super().check_for_suspension(burst)
            self._await_unpaused(burst)
            self._asked_at = time.monotonic()

    def look_again(self) -> None:
        """Makes the next check immediate, because a queue turned out to be paused."""
        self._asked_at = float("-inf")

    def _await_unpaused(self, burst: bool) -> None:  # noqa: FBT001  (as above)
        while not self._stop_requested and not self._listen_to_unpaused():
            if burst:
                raise StopRequested
            self.heartbeat()
            time.sleep(_SUSPENSION_EVERY_S)

    def _listen_to_unpaused(self) -> bool:
        """Stops listening to paused queues; returns whether any queue is left. On a database error nothing changes."""
        try:
            close_old_connections()
            paused = turns.pauses_by_environment()
        except DatabaseError as error:
            logger.warning("not asked which queues are paused: %s", error)
            return True
        served = self.queues_by_environment().items()
        found = [queue for key, queue in served if "" not in paused and key not in paused]
        if found and len(found) != len(self._ordered_queues):
            self._ordered_queues = found
        return bool(found)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Sends a heartbeat; a worker that waits for jobs also checks for paused and resumed queues."""
        super().heartbeat(timeout, pipeline=pipeline)
        # With a single queue, RQ's own loop returns to `check_for_suspension` as soon as a job is taken.
        is_idle = timeout is None and pipeline is None and len(self.queues) > 1
        if is_idle and time.monotonic() - self._asked_at >= _LOOK_EVERY_S:
            self._asked_at = time.monotonic()
            self._listen_to_unpaused()
