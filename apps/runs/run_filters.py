"""What the run list is asked for; all of it stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.http import QueryDict
from django.utils import timezone

from apps.runs.entities import State
from apps.runs.gateway.filters import SORTS, RunQuestion

PAGE_SIZES: Final = (20, 50, 100, 200)
PERIODS: Final = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
LISTED_STATES: Final = tuple(state for state in State if state.is_selectable)
_LONGEST: Final = 200
# What a saved filter keeps: not the page one was on.
_KEPT: Final = (
    "q",
    "state",
    "pipeline",
    "experiment",
    "recurring",
    "since",
    "from",
    "to",
    "tag",
    "archived",
    "sort",
    "size",
    "metric",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilters:
    """One reading of the address' query.

    Attributes:
        since: a key of PERIODS; "" for all time, or where days are given.
        first_day, last_day: both included, in UTC.
    """

    text: str = ""
    states: tuple[State, ...] = ()
    pipeline_id: str = ""
    experiment_id: str = ""
    recurring_run_id: str = ""
    since: str = ""
    first_day: date | None = None
    last_day: date | None = None
    tag: str = ""
    archived: bool = False
    sort: str = "-created"
    page_size: int = PAGE_SIZES[0]
    page_token: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> RunFilters:
        """Reads an address' query; what makes no sense is left out, so that an old link still opens."""
        size, sort, since = query.get("size", ""), query.get("sort", ""), query.get("since", "")
        first_day, last_day = _day(query.get("from", "")), _day(query.get("to", ""))
        return cls(
            text=query.get("q", "").strip()[:_LONGEST],
            states=tuple(dict.fromkeys(state for state in map(State.by_value, query.getlist("state")) if state)),
            pipeline_id=query.get("pipeline", "")[:_LONGEST],
            experiment_id=query.get("experiment", "")[:_LONGEST],
            recurring_run_id=query.get("recurring", "")[:_LONGEST],
            since=since if since in PERIODS and not (first_day or last_day) else "",
            first_day=first_day,
            last_day=last_day,
            tag=query.get("tag", "").strip()[:_LONGEST],
            archived=query.get("archived", "") in {"1", "on", "true"},
            sort=sort if sort in SORTS else "-created",
            page_size=int(size) if size in {str(allowed) for allowed in PAGE_SIZES} else PAGE_SIZES[0],
            page_token=query.get("page", "")[:2000],
        )

    @property
    def is_any_set(self) -> bool:
        """Whether runs are left out by choice: an empty list then is no empty portal."""
        return self != RunFilters(sort=self.sort, page_size=self.page_size, page_token=self.page_token)

    @property
    def created_from(self) -> datetime | None:
        """The earliest creation that is asked for; None for any."""
        if self.since:
            # Whole minutes: the page token of a list belongs to its filter, to the letter.
            return timezone.now().replace(second=0, microsecond=0) - PERIODS[self.since][1]
        return datetime.combine(self.first_day, time(), UTC) if self.first_day else None

    @property
    def created_before(self) -> datetime | None:
        """The creation that is just too late; None for any."""
        return datetime.combine(self.last_day, time(), UTC) + timedelta(days=1) if self.last_day else None

    def question(self, run_ids: tuple[str, ...] | None) -> RunQuestion:
        """Returns what to ask Kubeflow.

        Args:
            run_ids: the runs that have the tag; None where no tag is asked for.
        """
        return RunQuestion(
            text=self.text,
            states=self.states,
            experiment_id=self.experiment_id,
            recurring_run_id=self.recurring_run_id,
            created_from=self.created_from,
            created_before=self.created_before,
            run_ids=run_ids,
            archived=self.archived,
            sort=self.sort,
        )


def query_kept(query: QueryDict) -> str:
    """Returns the part of a query that a saved filter keeps, in a fixed order; "" where nothing is set."""
    kept = QueryDict(mutable=True)
    for name in _KEPT:
        values = [value for value in query.getlist(name) if value]
        if values:
            kept.setlist(name, values)
    return kept.urlencode()


def _day(value: str) -> date | None:
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if date(2015, 1, 1) <= found <= date(2200, 1, 1) else None
