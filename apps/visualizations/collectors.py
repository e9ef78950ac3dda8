"""Metrics from the database and the queue server, identical in every web process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.telemetry.shared_metrics import shared_metrics_read
from apps.visualizations import job_queue
from apps.visualizations.events import connection_get
from apps.visualizations.models import Render
from apps.visualizations.render_metrics import RENDERS, SHARED_METRICS, host_memory_metric
from apps.visualizations.selectors import type_list
from apps.visualizations.services.hosts import hosts_read
from apps.visualizations.services.reconciliation import pass_read
from apps.visualizations.states import ACTIVE_STATES, RenderState


def _gauge(name: str, text: str, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vizportal_{name}", text, labels=list(labels))


def _environments() -> list[str]:
    return [name.removeprefix("render-") for name in settings.RQ_QUEUES]


def database_metrics() -> list[Metric]:
    """Returns gauges of waiting and running renders.

    Indexes (render_queue, render_lease) answer both queries, however many renders have ended.

    Raises:
        DatabaseError: the database does not answer.
    """
    queued = _gauge("renders_queued", "Renders that wait for a worker.", ["environment"])
    oldest = _gauge(
        "renders_queued_oldest_seconds", "How long the oldest of them has waited; 0 where none waits.", ["environment"]
    )
    running = _gauge("renders_running", "Renders that run.", ["environment"])
    queued_rows = {row["environment"]: row for row in renders_queued()}
    running_counts = {row["environment"]: row["number"] for row in renders_running()}
    now = timezone.now()
    for environment in sorted({*_environments(), *queued_rows, *running_counts}):
        row = queued_rows.get(environment)
        queued.add_metric([environment], row["number"] if row else 0)
        oldest.add_metric([environment], max(0.0, (now - row["first"]).total_seconds()) if row else 0)
        running.add_metric([environment], running_counts.get(environment, 0))
    return [queued, oldest, running]


def renders_queued() -> Any:
    """Returns `environment`, `number` and `first` (when the oldest was queued) of the waiting renders."""
    waiting = Render.objects.filter(state=RenderState.QUEUED).order_by()
    return waiting.values("environment").annotate(number=Count("id"), first=Min("queued_at"))


def renders_running() -> Any:
    """Returns `environment` and `number` of the running renders."""
    running = Render.objects.filter(state=RenderState.RUNNING).order_by()
    return running.values("environment").annotate(number=Count("id"))


def queue_metrics() -> list[Metric]:
    """Returns metrics from the queue server: jobs, workers, hosts, the reconciler, and the shared metrics of workers.

    Raises:
        RedisError: the queue server does not answer.
    """
    waiting = _gauge("queue_jobs", "Jobs in the queue of an environment.", ["environment"])
    workers = _gauge("workers", "Living workers; one that serves several environments counts in each.", ["environment"])
    for environment in _environments():
        waiting.add_metric([environment], job_queue.queue_get(environment).count)
        workers.add_metric([environment], len(job_queue.worker_keys(environment)))
    reconciled = _gauge("reconciler_last_pass_timestamp_seconds", "When a reconciler last went through, since 1970.")
    reconciled_at = pass_read()
    if reconciled_at is not None:
        reconciled.add_metric([], reconciled_at)
    return [waiting, workers, reconciled, *_host_metrics(), *_counted_by_workers()]


def _host_metrics() -> list[Metric]:
    hosts = hosts_read()
    renders = _gauge("host_renders", "Renders that a host has begun since its start.", ["environment", "machine"])
    for host in hosts:
        labels = [str(host.get("environment", "")), str(host.get("machine", ""))]
        renders.add_metric(labels, host.get("renders", 0))
    return [host_memory_metric(hosts), renders]


def _counted_by_workers() -> list[Metric]:
    types = {kind.key: kind for kind in type_list()}
    keep = {
        "type": frozenset(types),
        "environment": frozenset(_environments()),
        "state": frozenset(RenderState.values),
    }
    final_states = [state.value for state in RenderState if state not in ACTIVE_STATES]
    zeros = [(key, vtype.environment, state) for key, vtype in types.items() for state in final_states]
    return shared_metrics_read(connection_get(), SHARED_METRICS, keep=keep, zeros={RENDERS.name: zeros})
