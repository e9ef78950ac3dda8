"""The families that are the same whichever web process is asked: they are read from the database and the queue."""

from __future__ import annotations

import platform
import time
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from vizkit.types import registry

from apps.observing import tallies
from apps.visualizations import jobs
from apps.visualizations.events import connection_get
from apps.visualizations.models import ACTIVE_STATES, Render, RenderState
from apps.visualizations.services.hosts import hosts_read
from apps.visualizations.services.upkeep import pass_read
from apps.visualizations.tallies import ALL, RENDERS
from apps.visualizations.worker_watch import memory_add, memory_family
from vizportal.observability.parts import Part

# A scraper's usual limit is 10 s; one that waits for a part learns nothing of the others.
WITHIN_S: Final = 1.5


def _gauge(name: str, text: str, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vizportal_{name}", text, labels=list(labels))


def _environments() -> list[str]:
    return [name.removeprefix("render-") for name in settings.RQ_QUEUES]


def database_families() -> list[Metric]:
    """Returns how many renders wait and run.

    Both questions are answered by indexes (render_queue, render_lease), however many renders have ended.

    Raises:
        DatabaseError: the database does not answer.
    """
    queued = _gauge("renders_queued", "Renders that wait for a worker.", ["environment"])
    oldest = _gauge(
        "renders_queued_oldest_seconds", "How long the oldest of them has waited; 0 where none waits.", ["environment"]
    )
    running = _gauge("renders_running", "Renders that run.", ["environment"])
    waiting = {row["environment"]: row for row in queued_rows()}
    at_work = {row["environment"]: row["number"] for row in running_rows()}
    now = timezone.now()
    for environment in sorted({*_environments(), *waiting, *at_work}):
        row = waiting.get(environment)
        queued.add_metric([environment], row["number"] if row else 0)
        oldest.add_metric([environment], max(0.0, (now - row["first"]).total_seconds()) if row else 0)
        running.add_metric([environment], at_work.get(environment, 0))
    return [queued, oldest, running]


def queued_rows() -> Any:
    """Returns `environment`, `number` and `first` (when the oldest was queued) of what waits."""
    waiting = Render.objects.filter(state=RenderState.QUEUED).order_by()
    return waiting.values("environment").annotate(number=Count("id"), first=Min("queued_at"))


def running_rows() -> Any:
    """Returns `environment` and `number` of what runs."""
    return (
        Render.objects.filter(state=RenderState.RUNNING).order_by().values("environment").annotate(number=Count("id"))
    )


def queue_families() -> list[Metric]:
    """Returns what the queue's server knows: jobs, workers, hosts, the reconciler, and the tallies of all workers.

    Raises:
        RedisError: it does not answer.
    """
    waiting = _gauge("queue_jobs", "Jobs in the queue of an environment.", ["environment"])
    workers = _gauge("workers", "Living workers; one that serves several environments counts in each.", ["environment"])
    for environment in _environments():
        waiting.add_metric([environment], jobs.queue_get(environment).count)
        workers.add_metric([environment], len(jobs.worker_keys(environment)))
    passed = _gauge("reconciler_last_pass_timestamp_seconds", "When a reconciler last went through, since 1970.")
    at = pass_read()
    if at is not None:
        passed.add_metric([], at)
    return [waiting, workers, passed, *_host_families(), *_tallies()]


def _tallies() -> list[Metric]:
    types = registry.types(settings.VIZPORTAL_TYPES_DIRS)
    keep = {
        "type": frozenset(types),
        "environment": frozenset(_environments()),
        "state": frozenset(RenderState.values),
    }
    ends = [state.value for state in RenderState if state not in ACTIVE_STATES]
    zeros = [(key, kind.environment, state) for key, kind in types.items() for state in ends]
    return tallies.read(connection_get(), ALL, keep=keep, zeros={RENDERS.name: zeros})


def _host_families() -> list[Metric]:
    memory = memory_family()
    renders = _gauge("host_renders", "Renders that a host has begun since its start.", ["environment", "machine"])
    for host in hosts_read():
        environment, machine = str(host.get("environment", "")), str(host.get("machine", ""))
        memory_add(memory, environment, host)
        renders.add_metric([environment, machine], host.get("renders", 0))
    return [memory, renders]


_PARTS: Final = (Part("database", database_families), Part("queue", queue_families))


def collect() -> list[Metric]:
    """Returns the families of all parts that answer in time, and `vizportal_up` of each."""
    until = time.monotonic() + WITHIN_S
    answers = [(part, part.begin()) for part in _PARTS]
    up = _gauge("up", "Whether a part answers: database, queue.", ["part"])
    found: list[Metric] = [up, _build()]
    for part, answer in answers:
        families = part.end(answer, until)
        up.add_metric([part.name], families is not None)
        found += families or []
    return found


def _build() -> Metric:
    family = _gauge("build_info", "Which portal this is; always 1.", ["version", "python"])
    family.add_metric([_version(), platform.python_version()], 1)
    return family


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError:
        return "unknown"
    return str(project["project"]["version"])
