"""Counters and histograms that outlive the process that counts: kept in one hash of the queue's server.

They are put into a pipeline that is sent anyway, so counting costs no round trip. Every web process shows the same
values. A queue server that lost its data starts them again from 0, which Prometheus takes for a restart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

KEY: Final = "vizportal:tallies"
# The unit separator stands in no label: those are keys and names.
_SEPARATOR: Final = "\x1f"
_SUM: Final = "sum"


class Pipeline(Protocol):
    """The two commands that counting needs."""

    def hincrby(self, name: str, key: str, amount: int = 1) -> Any:
        """Adds to a whole number."""

    def hincrbyfloat(self, name: str, key: str, amount: float = 1.0) -> Any:
        """Adds to a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyCounter:
    """A number that only grows; `name` is without `_total`."""

    name: str
    help: str
    labels: tuple[str, ...]

    def add(self, pipe: Pipeline, *values: str) -> None:
        """Puts one more into the pipeline.

        Args:
            values: of the labels, in their order.
        """
        pipe.hincrby(KEY, _SEPARATOR.join((self.name, *values)), 1)

    def family(self, found: Mapping[tuple[str, ...], float]) -> Metric:
        """Returns what `read` found, as Prometheus wants it."""
        family = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for values, number in sorted(found.items()):
            family.add_metric(values, number)
        return family


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyHistogram:
    """Durations in seconds, counted in buckets.

    Attributes:
        buckets: upper ends in seconds, ascending, without infinity.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...]

    def observe(self, pipe: Pipeline, seconds: float, *values: str) -> None:
        """Puts one duration into the pipeline."""
        index = bisect_left(self.buckets, seconds)
        bucket = f"{self.buckets[index]:g}" if index < len(self.buckets) else "+Inf"
        pipe.hincrby(KEY, _SEPARATOR.join((self.name, *values, bucket)), 1)
        pipe.hincrbyfloat(KEY, _SEPARATOR.join((self.name, *values, _SUM)), round(max(seconds, 0.0), 6))

    def family(self, found: Mapping[tuple[str, ...], float]) -> Metric:
        """Returns what `read` found, as Prometheus wants it: each bucket with those below it."""
        series: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for key, number in found.items():
            series[key[:-1]][key[-1]] = number
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for values, parts in sorted(series.items()):
            total = parts.pop(_SUM, 0.0)
            family.add_metric(values, list(_cumulated(parts, self.buckets)), total)
        return family


def _cumulated(parts: Mapping[str, float], buckets: tuple[float, ...]) -> Iterator[tuple[str, float]]:
    """Yields each bucket with its count; one that an older version had, and this one does not, keeps its place."""
    ends = {float(end): count for end, count in parts.items()}
    below = 0.0
    for end in sorted({*ends, *buckets, float("inf")}):
        below += ends.get(end, 0)
        yield ("+Inf" if end == float("inf") else f"{float(end)}"), below


Tally = TallyCounter | TallyHistogram


def read(
    connection: Any,
    tallies: tuple[Tally, ...],
    *,
    keep: Mapping[str, frozenset[str]],
    zeros: Mapping[str, Iterable[tuple[str, ...]]],
) -> list[Metric]:
    """Returns the families of all tallies, in one round trip.

    Args:
        keep: by label, the values that are shown; all others are added up as `other`.
        zeros: by a counter's name, the labels' values that are shown before anything was counted: Prometheus cannot
            see that a number has grown which was not there before.

    Raises:
        RedisError: the queue server does not answer.
    """
    found: dict[str, dict[tuple[str, ...], float]] = {tally.name: defaultdict(float) for tally in tallies}
    labels = {tally.name: tally.labels for tally in tallies}
    for key, number in connection.hgetall(KEY).items():
        name, *parts = key.decode("utf-8", "replace").split(_SEPARATOR)
        if name not in found or len(parts) < len(labels[name]):
            continue  # of another version
        shown = [
            value if label not in keep or value in keep[label] else "other"
            for label, value in zip(labels[name], parts, strict=False)
        ]
        found[name][(*shown, *parts[len(shown) :])] += float(number)
    for name, every in zeros.items():
        for values in every:
            found[name].setdefault(values, 0.0)
    return [tally.family(found[tally.name]) for tally in tallies]
