"""Counters and histograms shared by all workers, in one hash in the queue server.

Updates join a pipeline that is sent anyway, so counting costs no round trip. Every web process shows the same values.
If the queue server loses its data they restart from 0, which Prometheus treats as a counter reset.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

# Older workers and web processes use the same key.
KEY: Final = "vizportal:tallies"
# Labels are keys and names, which never contain the unit separator.
_SEPARATOR: Final = "\x1f"
_SUM: Final = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCounter:
    """A number that only grows; `name` omits the suffix `_total`."""

    name: str
    help: str
    labels: tuple[str, ...]

    def add(self, pipe: Any, *values: str) -> None:
        """Adds 1, in the pipeline.

        Args:
            values: the labels' values, in the order of `labels`.
        """
        pipe.hincrby(KEY, _SEPARATOR.join((self.name, *values)), 1)

    def metric(self, series: Mapping[tuple[str, ...], float]) -> Metric:
        """Returns the counter with the values that were read, by label values."""
        metric = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for labels, number in sorted(series.items()):
            metric.add_metric(labels, number)
        return metric


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedHistogram:
    """Durations in seconds, counted in buckets.

    Attributes:
        buckets: upper bounds in seconds, ascending, without infinity.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...]

    def observe(self, pipe: Any, seconds: float, *values: str) -> None:
        """Adds a duration, in the pipeline."""
        index = bisect_left(self.buckets, seconds)
        bucket = f"{self.buckets[index]:g}" if index < len(self.buckets) else "+Inf"
        pipe.hincrby(KEY, _SEPARATOR.join((self.name, *values, bucket)), 1)
        pipe.hincrbyfloat(KEY, _SEPARATOR.join((self.name, *values, _SUM)), round(max(seconds, 0.0), 6))

    def metric(self, series: Mapping[tuple[str, ...], float]) -> Metric:
        """Returns the histogram with the values that were read, by label values and bucket (or `sum`)."""
        by_labels: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for key, number in series.items():
            by_labels[key[:-1]][key[-1]] = number
        metric = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, counts in sorted(by_labels.items()):
            total = counts.pop(_SUM, 0.0)
            metric.add_metric(labels, list(_cumulative(counts, self.buckets)), total)
        return metric


def _cumulative(counts: Mapping[str, float], buckets: tuple[float, ...]) -> Iterator[tuple[str, float]]:
    """Yields each bucket with its cumulative count; keeps buckets that only an older version used."""
    by_bound = {float(bound): count for bound, count in counts.items()}
    total = 0.0
    for bound in sorted({*by_bound, *buckets, float("inf")}):
        total += by_bound.get(bound, 0)
        yield ("+Inf" if bound == float("inf") else f"{float(bound)}"), total


SharedMetric = SharedCounter | SharedHistogram


def shared_metrics_read(
    connection: Any,
    metrics: tuple[SharedMetric, ...],
    *,
    keep: Mapping[str, frozenset[str]],
    zeros: Mapping[str, Iterable[tuple[str, ...]]],
) -> list[Metric]:
    """Returns the values of all shared metrics, in one round trip.

    Args:
        keep: for each label, the values to show; all others are combined as `other`.
        zeros: for each counter, label values to show before anything was counted: Prometheus does not see the increase
            of a series that did not exist before.

    Raises:
        RedisError: the queue server does not answer.
    """
    series: dict[str, dict[tuple[str, ...], float]] = {metric.name: defaultdict(float) for metric in metrics}
    labels = {metric.name: metric.labels for metric in metrics}
    for key, number in connection.hgetall(KEY).items():
        name, *parts = key.decode("utf-8", "replace").split(_SEPARATOR)
        if name not in series or len(parts) < len(labels[name]):
            continue  # of another version
        shown = [
            value if label not in keep or value in keep[label] else "other"
            for label, value in zip(labels[name], parts, strict=False)
        ]
        series[name][(*shown, *parts[len(shown) :])] += float(number)
    for name, label_values in zeros.items():
        for values in label_values:
            series[name].setdefault(values, 0.0)
    return [metric.metric(series[metric.name]) for metric in metrics]
