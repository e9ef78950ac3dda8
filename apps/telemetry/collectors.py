"""Reads metrics from parts of the portal within a time limit: a scrape shows that a part is down, and never waits."""

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


class PartCollector:
    """Reads the metrics of one part in a thread.

    A part that hangs occupies one thread, however often it is scraped meanwhile; the thread does not delay the end of
    the process.

    Args:
        read: returns the part's metrics; called in a thread that has its own database connections.
    """

    def __init__(self, name: str, read: Callable[[], list[Metric]]) -> None:
        self.name = name
        self._read = read
        self._lock = threading.Lock()
        self._pending: Future[list[Metric]] | None = None

    def start(self) -> Future[list[Metric]]:
        """Returns the pending result; starts a new read where there is none."""
        with self._lock:
            if self._pending is None or self._pending.done():
                self._pending = Future()
                thread = threading.Thread(target=self._run, args=[self._pending], name=f"metrics-{self.name}")
                thread.daemon = True
                thread.start()
            return self._pending

    def _run(self, result: Future[list[Metric]]) -> None:
        try:
            result.set_result(self._read())
        except Exception as error:  # noqa: BLE001  (the edge of a thread: whoever waits gets it)
            result.set_exception(error)
        finally:
            connections.close_all()

    def finish(self, result: Future[list[Metric]], deadline: float) -> list[Metric] | None:
        """Waits for a result.

        Args:
            deadline: by `time.monotonic`.

        Returns:
            None where there is none in time, or the part does not work.
        """
        try:
            return result.result(timeout=max(0.0, deadline - time.monotonic()))
        except (DatabaseError, RedisError, OSError) as error:
            # TimeoutError is an OSError.
            logger.warning("metrics: %s: %s", self.name, error or type(error).__name__)
            return None
