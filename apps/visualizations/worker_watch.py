"""What is seen of a worker: whether its loop turns, what it renders for whom, and the trace that a render belongs to.

A job carries (render id, attempt) and nothing else, so the trace waits beside it in the queue's server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.job import Job
from rq.worker_registration import register

from apps.observing import tracing
from apps.observing.listener import Listener
from apps.observing.scope import scope_open
from apps.visualizations.events import connection_get
from apps.visualizations.services import hosts

_TRACE_KEY: Final = "vizportal:trace:"
# A render that waits longer is no longer part of anything that somebody looks at.
_TRACE_KEEP_S: Final = 6 * 3600
_HEARTBEAT_EVERY_S: Final = 5.0
# What rq itself adds to the time that a worker's key lasts.
_RQ_MARGIN_S: Final = 60
# rq pauses for up to a minute between two looks for a queue server that is away, and beats each time.
_PAUSE_S: Final = 10.0
_SILENT_S: Final = 120.0
_busy: ContextVar[Callable[[float], None] | None] = ContextVar("busy", default=None)
logger = logging.getLogger(__name__)


def busy_beat(silent_s: float) -> None:
    """Says that the worker whose render is carried out here lives; nothing where no worker does.

    Args:
        silent_s: so long nothing more will be said at most, beyond the usual; 0 while beats come.
    """
    if beat := _busy.get():
        beat(silent_s)


def trace_keep(pipe: Any, job_id: str) -> None:
    """Puts the present trace beside a job, in the pipeline that queues it; nothing where nobody traces."""
    if carried := tracing.carrier():
        pipe.set(f"{_TRACE_KEY}{job_id}", carried, ex=_TRACE_KEEP_S)


def trace_ask(pipe: Any, job_id: str) -> None:
    """Asks for a job's trace in a pipeline, as its last command; nothing where nobody traces."""
    if tracing.is_on():
        pipe.getdel(f"{_TRACE_KEY}{job_id}")


def trace_given(answers: list[Any]) -> str:
    """Returns what the pipeline answered to `trace_ask`; "" where there is no trace."""
    found = answers[-1] if tracing.is_on() and answers else None
    return found.decode("ascii", "replace") if isinstance(found, bytes) else ""


class WatchedWorker(SimpleWorker):  # type: ignore[misc]
    """A worker that can be asked how it is, by HTTP where VIZPORTAL_WORKER_METRICS_BIND says so."""

    _told_at = float("-inf")
    _beat_at = float("-inf")
    _busy_until = float("-inf")

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """Works until asked to stop; takes part in traces and answers the listener meanwhile."""
        tracing.start("worker")
        self._beat_at = time.monotonic()
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
            collect=memory_families,
            token=settings.VIZPORTAL_METRICS_TOKEN,
        )
        return listener if listener.start() else None

    def is_alive(self) -> bool:
        """Whether the loop turned within the last two minutes, or a render runs that may take longer."""
        now = time.monotonic()
        return now - self._beat_at < _SILENT_S or now < self._busy_until

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Says that the worker lives: rq asks for it several times around each job, once in five seconds is enough."""
        self._beat_at = time.monotonic()
        if pipeline is not None:
            super().heartbeat(timeout, pipeline=pipeline)
            # Other workers strike off whom they find without a key, and a queue server may come back without its data.
            register(self, pipeline)
            return
        if timeout is None and time.monotonic() - self._told_at < _HEARTBEAT_EVERY_S:
            return
        with self.connection.pipeline(transaction=False) as pipe:
            self.heartbeat(timeout, pipeline=pipe)
            pipe.execute()
        self._told_at = time.monotonic()
        self.tend_hosts()

    def _beat_busy(self, silent_s: float) -> None:
        """Says in the middle of a render that the worker lives. Best effort: the render goes on without."""
        if not silent_s and time.monotonic() - self._told_at < _HEARTBEAT_EVERY_S:
            return
        self._told_at = time.monotonic()
        try:
            with connection_get().pipeline(transaction=False) as pipe:
                self.heartbeat(int(silent_s) + self.worker_ttl + _RQ_MARGIN_S, pipeline=pipe)
                pipe.execute()
        except (RedisError, OSError) as error:
            logger.info("worker's heartbeat not told: %s", error)

    def pause_for_trouble(self) -> None:
        """Waits a while for a machine that cannot render now, and says so; the next job then ends with the reason."""
        until = time.monotonic() + _PAUSE_S
        while (trouble := hosts.work_root_trouble()) and time.monotonic() < until and not self._stop_requested:
            logger.error("this worker pauses: %s", trouble)
            hosts.pause_tell(self.name, trouble)
            self.heartbeat()
            threading.Event().wait(1)

    def tend_hosts(self) -> None:
        """Called with each heartbeat that is told."""

    @contextmanager
    def watched(self, job: Job, carried: str) -> Iterator[None]:
        """Stands around a render: its ids are in every log line, and its spans below the request's.

        Args:
            carried: the `traceparent` that was kept beside the job; "" for none.
        """
        render_id, attempt = job.args
        self._busy_until = time.monotonic() + job.timeout
        busy = _busy.set(self._beat_busy)
        facts = {"vizportal.render.id": render_id, "vizportal.render.attempt": attempt}
        try:
            with (
                scope_open(render_id=render_id, attempt=attempt),
                tracing.span("render job", kind="consumer", attributes=facts, carried=carried),
            ):
                yield
        finally:
            _busy.reset(busy)
            self._busy_until = float("-inf")


def memory_families() -> list[Metric]:
    """Returns the memory of this machine's hosts that this process knows, as it is now."""
    family = memory_family()
    for environment, facts in hosts.hosts_memory().items():
        memory_add(family, environment, facts)
    return [family]


def memory_family() -> GaugeMetricFamily:
    """Returns the family of the hosts' memory, without any."""
    return GaugeMetricFamily(
        "vizportal_host_memory_bytes",
        "Memory of a render host with all its children; pss can be added up, rss counts shared pages again and again.",
        labels=("environment", "machine", "kind"),
    )


def memory_add(family: GaugeMetricFamily, environment: str, facts: dict[str, Any]) -> None:
    """Adds what a host's worker said of it; nothing where it did not say."""
    for kind in ("pss", "rss"):
        if isinstance(facts.get(f"{kind}_bytes"), int):
            family.add_metric((environment, str(facts.get("machine", "")), kind), facts[f"{kind}_bytes"])
