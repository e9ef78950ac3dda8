"""Metrics that each process counts for itself. Labels have few values, all known in advance.

Workers' counts of renders are in the queue server (shared_metrics.py), because workers may exit before a scrape.
"""

from __future__ import annotations

from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# `_created` series would double the number of series, and no rate needs them.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY: Final = CollectorRegistry()
prometheus_client.ProcessCollector(registry=REGISTRY)
prometheus_client.PlatformCollector(registry=REGISTRY)
prometheus_client.GCCollector(registry=REGISTRY)

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_REQUESTS: Final = Counter(
    "vizportal_http_requests",
    "Requests answered, by the name of the view; `unmatched` for an address that no view has.",
    ["view", "method", "status"],
    registry=REGISTRY,
)
HTTP_SECONDS: Final = Histogram(
    "vizportal_http_request_seconds",
    "Seconds until an answer's head was ready; a stream's body is not in it.",
    ["view", "method"],
    buckets=_BUCKETS_S,
    registry=REGISTRY,
)
EVENT_STREAMS: Final = Gauge(
    "vizportal_event_streams", "Browsers that listen to this process for live updates.", registry=REGISTRY
)
KUBEFLOW_SECONDS: Final = Histogram(
    "vizportal_kubeflow_request_seconds",
    "Seconds until Kubeflow answered or the call failed; `call` is api, lineage or stream.",
    ["endpoint", "call"],
    buckets=_BUCKETS_S,
    registry=REGISTRY,
)
KUBEFLOW_ERRORS: Final = Counter(
    "vizportal_kubeflow_errors",
    "Requests to Kubeflow that failed; `kind` is down, not_signed_in, forbidden, not_found, invalid or error.",
    ["endpoint", "kind"],
    registry=REGISTRY,
)
