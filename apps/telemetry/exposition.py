"""The content of `/metrics`: what apps registered, read for this scrape, and the process's own metrics."""

from __future__ import annotations

import logging
import platform
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from apps.telemetry.metrics import REGISTRY
from apps.telemetry.pending import PendingCall

# A scraper's usual limit is 10 s; with a scrape that waits for one part, it would learn nothing about the others.
TIME_LIMIT_S: Final = 1.5
PARTS: Final[dict[str, PendingCall[list[Metric]]]] = {}
logger = logging.getLogger(__name__)


def part_register(name: str, read: Callable[[], list[Metric]]) -> None:
    """Adds a part of the portal to `/metrics`; apps call it when they are ready.

    Args:
        read: returns metrics that are the same in every web process. It may raise DatabaseError, RedisError or OSError
            if the part does not answer.
    """
    PARTS[name] = PendingCall(f"metrics-{name}", read)


def parts_read() -> list[Metric]:
    """Returns the metrics of all parts that answer in time, and `vizportal_up` of each part."""
    deadline = time.monotonic() + TIME_LIMIT_S
    pending = {name: part.start() for name, part in PARTS.items()}
    up = GaugeMetricFamily("vizportal_up", "Whether a part answers: database, queue.", labels=["part"])
    metrics: list[Metric] = [up, _build_info()]
    for name, result in pending.items():
        part_metrics = _await(name, result, deadline)
        up.add_metric([name], part_metrics is not None)
        metrics += part_metrics or []
    return metrics


def _await(name: str, result: Future[list[Metric]], deadline: float) -> list[Metric] | None:
    """Returns a part's metrics; None if there is no result by the deadline (`time.monotonic`), or the part fails."""
    try:
        return result.result(timeout=max(0.0, deadline - time.monotonic()))
    except (DatabaseError, RedisError, OSError) as error:
        # TimeoutError is an OSError.
        logger.warning("metrics: %s: %s", name, error or type(error).__name__)
        return None


def encode(metrics: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """Returns the body and its content type, including the process's own metrics.

    Args:
        accept: the request's header, which selects Prometheus' text format or OpenMetrics.
    """
    encoder, content_type = choose_encoder(accept)
    return encoder(_Snapshot(metrics)), content_type


class _Snapshot(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics
        yield from REGISTRY.collect()


def _build_info() -> Metric:
    info = GaugeMetricFamily("vizportal_build_info", "Which portal this is; always 1.", labels=["version", "python"])
    info.add_metric([_version(), platform.python_version()], 1)
    return info


@lru_cache(maxsize=1)
def _version() -> str:
    path = settings.BASE_DIR / "pyproject.toml"
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]) if path.exists() else "unknown"
