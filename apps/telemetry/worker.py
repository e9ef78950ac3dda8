"""A worker with a liveness check, whose log lines and spans belong to the job that it executes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.conf import settings
from prometheus_client.core import Metric
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.job import Job
from rq.worker_registration import register

from apps.telemetry import trace_export, tracing
from apps.telemetry.context import render_context
from apps.telemetry.listener import Listener

HEARTBEAT_INTERVAL_S: Final = 5.0
# RQ adds this to the time after which a worker's key expires.
_RQ_MARGIN_S: Final = 60
# While the queue server is down, RQ waits up to a minute between attempts, with a heartbeat at each.
_STUCK_AFTER_S: Final = 120.0
_job_heartbeat: ContextVar[Callable[[float], None] | None] = ContextVar("job_heartbeat", default=None)
logger = logging.getLogger(__name__)


def job_heartbeat(silent_s: float) -> None:
    """Reports that the current job's worker is alive; does nothing outside of a worker.

    Args:
        silent_s: seconds within which the next heartbeat will follow; 0 for the usual interval.
    """
    if heartbeat := _job_heartbeat.get():
        heartbeat(silent_s)


class MonitoredWorker(SimpleWorker):  # type: ignore[misc]
    """Serves `/healthz` and `/metrics` if VIZPORTAL_WORKER_METRICS_BIND is set, and takes part in traces."""

    # All by `time.monotonic`.
    heartbeat_sent_at = float("-inf")
    loop_turned_at = float("-inf")
    job_ends_by = float("-inf")

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """Works until asked to stop."""
        trace_export.start("worker")
        self.loop_turned_at = time.monotonic()
        listener = self._listen()
        try:
            return super().work(*args, **kwargs)
        finally:
            if listener is not None:
                listener.stop()

    def _listen(self) -> Listener | None:
        if not settings.VIZPORTAL_WORKER_METRICS_BIND:
            return None
        listener = Listener(
            settings.VIZPORTAL_WORKER_METRICS_BIND,
            is_alive=self.is_alive,
            read_metrics=self.metrics_read,
            token=settings.VIZPORTAL_METRICS_TOKEN,
        )
        return listener if listener.start() else None

    def metrics_read(self) -> list[Metric]:
        """Returns the metrics of this worker in addition to the process's own."""
        return []

    def on_heartbeat(self) -> None:
        """Called after each heartbeat that was sent."""

    def is_alive(self) -> bool:
        """Whether the loop turned within the last two minutes, or a job runs within its time limit."""
        now = time.monotonic()
        return now - self.loop_turned_at < _STUCK_AFTER_S or now < self.job_ends_by

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Reports that the worker is alive. RQ calls it several times per job; it is sent at most every 5 seconds."""
        self.loop_turned_at = time.monotonic()
        if pipeline is not None:
            super().heartbeat(timeout, pipeline=pipeline)
            # Other workers unregister workers without a key, and a queue server may come back without its data.
            register(self, pipeline)
            return
        if timeout is None and not self._is_heartbeat_due():
            return
        with self.connection.pipeline(transaction=False) as pipe:
            self.heartbeat(timeout, pipeline=pipe)
            pipe.execute()
        self.heartbeat_sent_at = time.monotonic()
        self.on_heartbeat()

    def _is_heartbeat_due(self) -> bool:
        return time.monotonic() - self.heartbeat_sent_at >= HEARTBEAT_INTERVAL_S

    def _heartbeat_in_job(self, silent_s: float) -> None:
        """Sends a heartbeat from a job's thread. Best effort: the job continues without it."""
        if not silent_s and not self._is_heartbeat_due():
            return
        self.heartbeat_sent_at = time.monotonic()
        try:
            with self.job_connection().pipeline(transaction=False) as pipe:
                self.heartbeat(int(silent_s) + self.worker_ttl + _RQ_MARGIN_S, pipeline=pipe)
                pipe.execute()
        except (RedisError, OSError) as error:
            logger.info("heartbeat of the worker not sent: %s", error)

    def job_connection(self) -> Any:
        """Returns the connection for heartbeats from jobs."""
        return self.connection

    @contextmanager
    def render_monitored(self, job: Job, traceparent: str) -> Iterator[None]:
        """Adds the render's ids to every log line of the block, and places its spans below the request's.

        Args:
            job: its arguments are the render's id and attempt.
            traceparent: of the request that queued the job; "" for none.
        """
        render_id, attempt = job.args
        self.job_ends_by = time.monotonic() + job.timeout
        token = _job_heartbeat.set(self._heartbeat_in_job)
        attributes = {"vizportal.render.id": render_id, "vizportal.render.attempt": attempt}
        try:
            with (
                tracing.span("render job", kind="consumer", attributes=attributes, parent=traceparent),
                render_context(render_id, attempt, tracing.trace_id()),
            ):
                yield
        finally:
            _job_heartbeat.reset(token)
            self.job_ends_by = float("-inf")
