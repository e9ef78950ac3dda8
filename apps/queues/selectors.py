"""Read access to the queue: callers see renders that are visible to them; the others are only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from apps.accounts.caller import Caller
from apps.visualizations import selectors
from apps.visualizations.environments import environment_of
from apps.visualizations.models import QueuePause, Render
from apps.visualizations.states import ACTIVE_STATES, RenderState

MOST_SHOWN: Final = 100
"""Maximum number of an environment's waiting renders that a page lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A row of a queue: a render, or several consecutive ones that the caller may not see.

    Attributes:
        render: None for renders that the caller may not see; `hidden` is their number.
        place: None for a running render.
        usual_s: mean duration of the latest renders of its type; None if none has ended.
    """

    render: Render | None = None
    hidden: int = 0
    place: selectors.QueuePlace | None = None
    usual_s: float | None = None
    may_cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentQueue:
    """The running and waiting renders of an environment.

    Attributes:
        pause: the pause of this queue or of all; None if workers take renders.
        more: number of waiting renders beyond those listed.
    """

    environment: str
    pause: QueuePause | None
    running: int
    waiting: int
    rows: tuple[QueueRow, ...]
    more: int


def queue_environments() -> list[str]:
    """Returns the environments that have a queue here."""
    return [environment_of(name) for name in settings.RQ_QUEUES]


def queue_count() -> int:
    """Returns how many renders run and wait, of all people."""
    return Render.objects.filter(state__in=ACTIVE_STATES).count()


def running_count(environment: str = "") -> int:
    """Returns how many renders run in an environment; "" for all."""
    rows = Render.objects.filter(state=RenderState.RUNNING)
    return rows.filter(environment=environment).count() if environment else rows.count()


def pause_list() -> dict[str, QueuePause]:
    """Returns the pauses by environment; the key "" is the pause of all queues."""
    return {each.environment: each for each in QueuePause.objects.all()}


def queue_view(caller: Caller) -> list[EnvironmentQueue]:
    """Returns each environment's queue, in the order of turns."""
    counts = _counts()
    names = [*queue_environments(), *sorted({name for name, _ in counts} - set(queue_environments()))]
    pauses = pause_list()
    view = []
    for name in names:
        running, waiting = counts.get((name, RenderState.RUNNING), 0), counts.get((name, RenderState.QUEUED), 0)
        rows = _rows(caller, name, running) if running or waiting else ()
        view.append(
            EnvironmentQueue(
                environment=name,
                pause=pauses.get(name) or pauses.get(""),
                running=running,
                waiting=waiting,
                rows=rows,
                more=max(0, waiting - MOST_SHOWN),
            )
        )
    return view


def _counts() -> dict[tuple[str, str], int]:
    rows = Render.objects.filter(state__in=ACTIVE_STATES).order_by().values_list("environment", "state")
    return {(environment, state): count for environment, state, count in rows.annotate(count=Count("id"))}


def _rows(caller: Caller, environment: str, running: int) -> tuple[QueueRow, ...]:
    visible = selectors.renders_visible(caller).defer("code", "log", "traceback").filter(environment=environment)
    runs = list(visible.filter(state=RenderState.RUNNING).order_by("started_at")[:MOST_SHOWN])
    places = dict(list(selectors.queue_places(environment).items())[:MOST_SHOWN])
    waits = {each.id: each for each in visible.filter(id__in=places)}
    usual = _usual_s([*runs, *waits.values()])

    def row(render: Render, place: selectors.QueuePlace | None) -> QueueRow:
        return QueueRow(
            render=render,
            place=place,
            usual_s=usual[render.visualization.type_key],
            may_cancel=caller.may_change(render.visualization.owner_id),
        )

    hidden = [QueueRow(hidden=running - len(runs))] if running > len(runs) else []
    order: Iterable[tuple[UUID, selectors.QueuePlace]] = places.items()
    waiting = [row(waits[each], place) if each in waits else QueueRow(hidden=1, place=place) for each, place in order]
    return (*(row(each, None) for each in runs), *hidden, *_merged(waiting))


def _merged(rows: list[QueueRow]) -> list[QueueRow]:
    """Merges consecutive rows of hidden renders into one."""
    merged: list[QueueRow] = []
    for each in rows:
        if each.hidden and merged and merged[-1].hidden:
            merged[-1] = QueueRow(hidden=merged[-1].hidden + 1, place=merged[-1].place)
        else:
            merged.append(each)
    return merged


def _usual_s(renders: Iterable[Render]) -> dict[str, float | None]:
    keys = {each.visualization.type_key for each in renders}
    return {key: selectors.mean_duration_s(Render.objects.filter(visualization__type_key=key)) for key in keys}
