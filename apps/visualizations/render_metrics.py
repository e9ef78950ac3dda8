"""Metrics of renders, counted by the process that writes the end and shared through the queue server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric

from apps.telemetry.shared_metrics import SharedCounter, SharedHistogram
from apps.visualizations.models import Render

RENDERS: Final = SharedCounter(
    name="vizportal_renders_finished",
    help="Renders that ended, by the state they ended in.",
    labels=("type", "environment", "state"),
)
DURATION: Final = SharedHistogram(
    name="vizportal_render_seconds",
    help="Seconds from a render's start to its end.",
    labels=("type", "environment"),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
QUEUE_WAIT: Final = SharedHistogram(
    name="vizportal_render_queue_wait_seconds",
    help="Seconds that renders which have ended had waited for a worker.",
    labels=("environment",),
    buckets=(0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)
SHARED_METRICS: Final = (RENDERS, DURATION, QUEUE_WAIT)


def render_count(pipe: Any, render: Render) -> None:
    """Counts a render's end in a pipeline; renders that never started count for neither duration nor wait."""
    type_key, environment = render.visualization.type_key, render.environment
    RENDERS.add(pipe, type_key, environment, str(render.state))
    if render.started_at is None or render.finished_at is None:
        return
    DURATION.observe(pipe, (render.finished_at - render.started_at).total_seconds(), type_key, environment)
    QUEUE_WAIT.observe(pipe, (render.started_at - render.queued_at).total_seconds(), environment)


def host_memory_metric(hosts: Iterable[Mapping[str, Any]]) -> Metric:
    """Returns the memory metric of render hosts.

    Args:
        hosts: environment, machine, pss_bytes and rss_bytes of each; hosts of older versions report no bytes.
    """
    metric = GaugeMetricFamily(
        "vizportal_host_memory_bytes",
        "Memory of a render host with all its children; pss can be added up, rss counts shared pages again and again.",
        labels=("environment", "machine", "kind"),
    )
    for host in hosts:
        for kind in ("pss", "rss"):
            if isinstance(host.get(f"{kind}_bytes"), int):
                labels = (str(host.get("environment", "")), str(host.get("machine", "")), kind)
                metric.add_metric(labels, host[f"{kind}_bytes"])
    return metric
