"""The order of turns: fewest running renders, then longest since the last turn, then the oldest render.

A worker asks the database for the next render (`render_next`); pages and the API order all waiting ones
(`queue_order`). Both follow the same rule. Paused environments have no turn.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from apps.visualizations.models import QueuePause, Render
from apps.visualizations.states import RenderState

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def renders_waiting() -> QuerySet[Render]:
    """Returns the renders that wait for a worker."""
    return Render.objects.filter(state=RenderState.QUEUED, cancel_requested_at=None).order_by()


def render_next(environments: Iterable[str], without: Collection[UUID] = ()) -> tuple[UUID, int, str] | None:
    """Returns the render whose turn it is as (id, attempt, environment); None if none may begin.

    Args:
        environments: those that the worker serves.
        without: ids of renders to skip.
    """
    if without:
        rest: tuple[UUID, int, str] | None = _next(tuple(environments)).exclude(id__in=without).first()
        return rest
    # Runs for each render; building the query in Django takes three times as long as the query itself.
    with connection.cursor() as cursor:
        cursor.execute(*_next_sql(tuple(environments), connection.vendor))
        found = cursor.fetchone()
    return (UUID(str(found[0])), found[1], found[2]) if found else None


@functools.lru_cache(maxsize=8)
def _next_sql(environments: tuple[str, ...], _vendor: str) -> tuple[str, tuple[Any, ...]]:
    sql, values = _next(environments)[:1].query.sql_with_params()
    return sql, tuple(values)


def _next(environments: tuple[str, ...]) -> Any:
    paused = QueuePause.objects.filter(Q(environment="") | Q(environment=OuterRef("environment")))
    rows = renders_waiting().filter(~Exists(paused), environment__in=environments)
    rows = rows.annotate(running=_of_requester(_running()), served_at=_of_requester(_turns()))
    ordered = rows.order_by("running", F("served_at").asc(nulls_first=True), "queued_at", "id")
    return ordered.values_list("id", "attempt", "environment")


def _running() -> QuerySet[Any]:
    rows = Render.objects.filter(state=RenderState.RUNNING).order_by()
    return rows.annotate(one=Value(1)).values("one").annotate(count=Count("id")).values("count")


def _turns() -> QuerySet[Any]:
    return Render.objects.filter(started_at__isnull=False).order_by("-started_at").values("started_at")


def _of_requester(rows: QuerySet[Any]) -> Any:
    """Returns rows as a value of a render's requester; requests without an account count as one requester's."""
    nobody, somebody = rows.filter(requested_by=None), rows.filter(requested_by=OuterRef("requested_by"))
    value: Any = Case(When(requested_by=None, then=Subquery(nobody[:1])), default=Subquery(somebody[:1]))
    return Coalesce(value, 0, output_field=IntegerField()) if "count" in rows.query.annotations else value


def queue_order(environment: str) -> list[UUID]:
    """Returns the ids of the waiting renders of an environment's queue, in the order of their turns."""
    waiting = list(
        renders_waiting()
        .filter(environment=environment)
        .order_by("queued_at", "id")
        .values_list("id", "requested_by", "queued_at")
    )
    people = {person for _, person, _ in waiting}
    running, served_at = _running_counts(people), {person: _served_at(person) for person in people}
    before: Counter[int | None] = Counter()
    keys = {}
    for render_id, person, queued_at in waiting:
        # The person's earlier renders will have run, or still be running, when this one's turn comes.
        ahead = before[person]
        before[person] += 1
        keys[render_id] = (running[person] + ahead, ahead, served_at[person], queued_at, render_id)
    return sorted(keys, key=keys.__getitem__)


def _running_counts(people: Collection[int | None]) -> Counter[int | None]:
    running = Render.objects.filter(state=RenderState.RUNNING).order_by().values_list("requested_by")
    return Counter({person: count for person, count in running.annotate(count=Count("id")) if person in people})


def _served_at(person: int | None) -> datetime:
    found = _turns().filter(requested_by=person).values_list("started_at", flat=True).first()
    return found or _NEVER


def is_waiting(render_id: UUID | str, attempt: int) -> bool:
    """Whether this attempt still waits for a worker."""
    return renders_waiting().filter(id=render_id, attempt=attempt).exists()


def is_held(render_id: UUID | str, attempt: int) -> bool:
    """Whether this attempt waits in a paused queue."""
    paused = QueuePause.objects.filter(Q(environment="") | Q(environment=OuterRef("environment")))
    return renders_waiting().filter(Exists(paused), id=render_id, attempt=attempt).exists()


def pauses_by_environment() -> dict[str, str]:
    """Returns the reasons of pauses by environment; the key "" applies to all."""
    return dict(QueuePause.objects.values_list("environment", "reason"))


def pause_reason(environment: str) -> str | None:
    """Returns why an environment's queue is paused; None if it is not."""
    found = QueuePause.objects.filter(environment__in=["", environment]).order_by("environment")
    return found.values_list("reason", flat=True).first()
