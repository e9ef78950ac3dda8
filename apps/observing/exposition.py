"""What Prometheus reads: families of this moment, and the process's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from apps.observing.metrics import REGISTRY


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families
        yield from REGISTRY.collect()


def encode(families: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """Returns the text and its content type.

    Args:
        families: read anew for this answer.
        accept: the request's header; chooses between Prometheus' text and OpenMetrics.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(list(families)))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type
