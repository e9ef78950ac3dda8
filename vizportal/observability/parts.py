"""Asking a part that may be away, within a limit: a monitoring system must learn of it, and not wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from django.db import Error as DatabaseError
from django.db import connections
from prometheus_client.core import Metric
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class Part:
    """One part and what is asked of it.

    A part that hangs keeps one thread, however often it is asked meanwhile; the thread never holds up the process's
    end.

    Args:
        ask: returns the part's families; run in a thread with connections of its own.
    """

    def __init__(self, name: str, ask: Callable[[], list[Metric]]) -> None:
        self.name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._running: Future[list[Metric]] | None = None

    def begin(self) -> Future[list[Metric]]:
        """Returns the answer that is on its way; asks where none is."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._run, args=[self._running], name=f"ask-{self.name}", daemon=True).start()
            return self._running

    def _run(self, answer: Future[list[Metric]]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:  # noqa: BLE001  (the edge of a thread: whoever waits gets it)
            answer.set_exception(error)
        finally:
            connections.close_all()

    def end(self, answer: Future[list[Metric]], until: float) -> list[Metric] | None:
        """Waits for an answer.

        Args:
            until: by `time.monotonic`.

        Returns:
            None where there is none in time, or the part does not work.
        """
        try:
            return answer.result(timeout=max(0.0, until - time.monotonic()))
        except (DatabaseError, RedisError, OSError) as error:
            # TimeoutError is an OSError.
            logger.warning("metrics: %s: %s", self.name, error or type(error).__name__)
            return None
