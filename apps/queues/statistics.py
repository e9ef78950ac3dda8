"""Statistics for administrators: the renders of each type in a period, and the use of storage."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.models import Render
from apps.visualizations.services.rights import right_check
from apps.visualizations.states import RenderState

PERIODS: Final = {1: "Last day", 7: "Last 7 days", 30: "Last 30 days", 90: "Last 90 days"}
"""Numbers of days, with the page's names for them."""
MOST_SAMPLED: Final = 10_000
"""Size of the sample for percentiles and memory: the newest renders of the period."""
_MOST_ROWS: Final = 50
_FAILED: Final = (RenderState.FAILED, RenderState.TIMED_OUT, RenderState.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStatistics:
    """Statistics of a type's renders that ended in the period.

    Attributes:
        count, failed: all renders, and those that failed, timed out or were lost; a cancelled one is not a failure.
        reason: the most frequent reason of failures; "" for none.
        median_s, p95_s, peak_bytes: from the sample; None if the sample has none of the type.
    """

    type_key: str
    count: int
    failed: int
    reason: str
    median_s: float | None
    p95_s: float | None
    peak_bytes: int | None

    @property
    def failed_percent(self) -> float:
        """Failures as a percentage of all renders."""
        return 100 * self.failed / self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRow:
    """Stored results and notebooks of one type or person; `name` is "" for those without an owner."""

    name: str
    renders: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The content of the page. Of `count` renders, `sampled` are in the sample. Storage covers all times."""

    count: int
    sampled: int
    types: tuple[TypeStatistics, ...]
    storage_types: tuple[StorageRow, ...]
    storage_people: tuple[StorageRow, ...]


def statistics_read(caller: Caller, days: int) -> Statistics:
    """Returns the statistics of the last days, with four queries.

    Raises:
        NotAllowedError: the caller is no administrator.
    """
    right_check(caller, Right.ADMINISTER)
    ended = Render.objects.filter(finished_at__gte=timezone.now() - timedelta(days=days)).order_by()
    groups = ended.values_list("visualization__type_key", "state", "reason").annotate(count=Count("id"))
    sample = (
        ended.filter(started_at__isnull=False)
        .order_by("-finished_at")
        .values_list("visualization__type_key", "started_at", "finished_at", "peak_memory_bytes")[:MOST_SAMPLED]
    )
    spans: dict[str, list[float]] = defaultdict(list)
    peaks: dict[str, int] = {}
    for key, start, end, peak in sample:
        if start and end:
            spans[key].append((end - start).total_seconds())
        peaks[key] = max(peaks.get(key, 0), peak or 0)
    types = _types(groups, spans, peaks)
    return Statistics(
        count=sum(each.count for each in types),
        sampled=sum(map(len, spans.values())),
        types=types,
        storage_types=_storage("visualization__type_key"),
        storage_people=_storage("visualization__owner__username"),
    )


def _types(groups: Any, spans: dict[str, list[float]], peaks: dict[str, int]) -> tuple[TypeStatistics, ...]:
    counts: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for key, state, reason, count in groups:
        counts[key] += count
        if state in _FAILED:
            reasons[key][reason or state] += count
    return tuple(
        TypeStatistics(
            type_key=key,
            count=count,
            failed=reasons[key].total(),
            reason=next((reason for reason, _ in reasons[key].most_common(1)), ""),
            median_s=_percentile(spans.get(key, ()), 50),
            p95_s=_percentile(spans.get(key, ()), 95),
            peak_bytes=peaks.get(key) or None,
        )
        for key, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Returns a percentile by nearest rank; None for no values."""
    if not values:
        return None
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def _storage(field: str) -> tuple[StorageRow, ...]:
    """Returns storage use grouped by a field, largest first, at most fifty rows."""
    size = Sum(Coalesce(F("html_bytes"), 0) + Coalesce(F("notebook_bytes"), 0))
    rows = Render.objects.order_by().values_list(field).annotate(count=Count("id"), size=size).order_by("-size", field)
    return tuple(
        StorageRow(name=name or "", renders=count, size_bytes=size or 0) for name, count, size in rows[:_MOST_ROWS]
    )
