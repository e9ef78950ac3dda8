"""The reconciler's part: looks at renders that ended, and writes a message where an alert's condition is crossed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.notifications import deliveries, messages
from apps.notifications.addresses import targets_reseal
from apps.notifications.conditions import Finding, change_find, threshold_find
from apps.notifications.models import Alert, AlertCheck, AlertEvent, Delivery
from apps.notifications.rights import refusal_of
from apps.rules.events import RuleTrouble
from apps.rules.models import RuleRun
from apps.visualizations.models import Recipe, Render, RenderFigure, Visualization
from apps.visualizations.states import RenderState

logger = logging.getLogger(__name__)
OVERLAP: Final = timedelta(minutes=15)
"""A worker notes the end of a render up to five minutes late, and its clock may be a little off."""
OLDEST: Final = timedelta(days=1)
"""Nothing is sent about a render that ended longer ago; it is looked at all the same."""
KEPT: Final = timedelta(days=30)
"""How long the log of deliveries is kept."""
# One reconciler works on an alert; another one takes it up after so long. Two side by side do no harm.
_TURN: Final = timedelta(seconds=3)
_LONGEST_PASS_S: Final = 5.0
_MOST_RENDERS: Final = 100
_MOST_RESEALED: Final = 50
_FAILED: Final = (RenderState.FAILED, RenderState.TIMED_OUT, RenderState.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What an alert found in one render."""

    finding: Finding
    figure: messages.Compared | None = None


class _TakenError(Exception):
    """Another reconciler was faster, or the alert was changed meanwhile."""


def alerts_pass(now: datetime | None = None) -> int:
    """Looks at what ended, and queues messages that are due; returns how much it did.

    Safe at any time, beside itself, and wherever it is killed: an alert's state, the note that it has looked at a
    render and the messages change in one transaction.
    """
    now, began = now or timezone.now(), time.monotonic()
    done = deliveries.deliveries_release(now)
    for alert in _due(now):
        if time.monotonic() - began > _LONGEST_PASS_S:
            break
        if _take_turn(alert, now):
            done += alert_work(alert, now)
    done += deliveries.deliveries_enqueue(now)
    return done + targets_reseal(_MOST_RESEALED) + _prune(now)


def alert_work(alert: Alert, now: datetime) -> int:
    """Looks at the renders that ended since the last time; returns how many messages were written."""
    renders = list(renders_unseen(alert)[:_MOST_RENDERS])
    if not renders and not alert.problem:
        return 0
    problem = refusal_of(alert)
    if problem != alert.problem:
        Alert.objects.filter(id=alert.id).update(problem=problem)
    if problem:
        return 0
    written = 0
    for render in renders:
        try:
            written += _look(alert, render, now)
        except (_TakenError, IntegrityError):
            logger.info("alert %s: another one looked at render %s", alert.id, render.id)
            break
    return written


def renders_unseen(alert: Alert) -> QuerySet[Render]:
    """Returns the renders of an alert that ended since it was made and that it has not looked at, the oldest first."""
    since = max(alert.cursor - OVERLAP, alert.since)
    wanted = _FAILED if alert.event == AlertEvent.RENDER_FAILED else (RenderState.SUCCEEDED,)
    rows = Render.objects.filter(
        visualization__recipe=alert.recipe_id,
        visualization__deleted_at=None,
        state__in=wanted,
        finished_at__gt=since,
    )
    if alert.rule_id:
        rows = rows.filter(id__in=RuleRun.objects.filter(rule=alert.rule_id).values("render"))
    seen = AlertCheck.objects.filter(alert=alert).values("render")
    return rows.exclude(id__in=seen).select_related("visualization").order_by("finished_at", "id")


def state_now(alert: Alert) -> bool | None:
    """Returns whether an alert's condition holds for the latest render of its series; None where nothing says so."""
    if not AlertEvent(alert.event).is_of_figure:
        return None
    rows = Render.objects.filter(visualization__recipe=alert.recipe_id, visualization__deleted_at=None)
    rows = rows.filter(state=RenderState.SUCCEEDED, figures__name=alert.figure)
    latest = rows.select_related("visualization").order_by("-finished_at", "-id").first()
    return _see(alert, latest).finding.is_met if latest else None


def rule_trouble_note(trouble: RuleTrouble) -> None:
    """Writes a message to each alert that waits for trouble of a rule, in the transaction that notes the trouble."""
    now, run = timezone.now(), trouble.run
    event = AlertEvent.RULE_FAILED if run else AlertEvent.RULE_PAUSED
    # A rule that is resumed and pauses again is news: the moment is a part of the key.
    key = f"rule_run:{run.id}" if run else f"rule_paused:{now.isoformat()}"
    named = (run.run_id, run.run_name) if run else None
    for alert in Alert.objects.filter(rule=trouble.rule, event=event, is_enabled=True).select_related("recipe"):
        message = messages.rule_message(alert, trouble.rule, named, trouble.message)
        deliveries.deliveries_write(alert, key, message, now)


def _due(now: datetime) -> QuerySet[Alert]:
    rows = Alert.objects.filter(is_enabled=True).exclude(event__in=[each for each in AlertEvent if each.is_of_rule])
    free = Q(looked_at=None) | Q(looked_at__lt=now - _TURN) | Q(looked_at__gt=now + _TURN)
    return rows.filter(free).select_related("owner", "recipe__baseline").order_by(F("looked_at").asc(nulls_first=True))


def _take_turn(alert: Alert, now: datetime) -> bool:
    same = Alert.objects.filter(id=alert.id, is_enabled=True, version=alert.version, looked_at=alert.looked_at)
    return bool(same.update(looked_at=now))


@transaction.atomic
def _look(alert: Alert, render: Render, now: datetime) -> int:
    """Looks at one render: the alert's state, the note of it and the messages, all or nothing."""
    seen = _see(alert, render)
    assert render.finished_at is not None  # noqa: S101  (it was selected by it)
    fires = seen.finding.fires and render.finished_at > now - OLDEST
    same = Alert.objects.filter(id=alert.id, version=alert.version, is_enabled=True)
    cursor = max(alert.cursor, render.finished_at)
    if not same.update(version=alert.version + 1, is_met=seen.finding.is_met, cursor=cursor):
        raise _TakenError
    value, reference = (seen.figure.value, seen.figure.reference) if seen.figure else (None, None)
    AlertCheck.objects.create(alert=alert, render=render, value=value, reference=reference, fired=fires, created_at=now)
    written = 0
    if fires:
        message = messages.render_message(alert, render, seen.figure)
        written = deliveries.deliveries_write(alert, f"render:{render.id}", message, now)
    alert.version, alert.is_met, alert.cursor = alert.version + 1, seen.finding.is_met, cursor
    return written


def _see(alert: Alert, render: Render) -> _Seen:
    event = AlertEvent(alert.event)
    if not event.is_of_figure:
        return _Seen(finding=Finding(is_met=None, fires=True))
    figure = RenderFigure.objects.filter(render=render, name=alert.figure).first()
    value = figure.value if figure else None
    if event is AlertEvent.FIGURE_CROSSED:
        assert alert.threshold is not None  # noqa: S101  (checked when it was made)
        is_above = alert.direction == "above"
        finding = threshold_find(alert.is_met, value, threshold=alert.threshold, is_above=is_above)
        return _Seen(finding=finding, figure=_compared(figure, None, None))
    assert alert.change is not None  # noqa: S101  (as above)
    baseline = _baseline(alert.recipe)
    reference = _reference(alert, render, baseline)
    finding = change_find(
        alert.is_met,
        value,
        reference,
        most=alert.change,
        is_percent=alert.is_percent,
        is_fixed=baseline is not None,
    )
    return _Seen(finding=finding, figure=_compared(figure, reference, baseline))


def _compared(
    figure: RenderFigure | None, reference: float | None, baseline: Visualization | None
) -> messages.Compared | None:
    if figure is None:
        return None
    return messages.Compared(
        name=figure.name,
        value=figure.value,
        unit=figure.unit,
        reference=reference,
        is_baseline=baseline is not None,
    )


def _baseline(recipe: Recipe) -> Visualization | None:
    chosen = recipe.baseline
    return chosen if chosen is not None and chosen.deleted_at is None else None


def _reference(alert: Alert, render: Render, baseline: Visualization | None) -> float | None:
    """Returns the figure of the baseline, or of the render that ended before; None where there is none."""
    if baseline is not None and baseline.id == render.visualization_id:
        return None
    rows = RenderFigure.objects.filter(name=alert.figure, render__state=RenderState.SUCCEEDED)
    if baseline is not None:
        rows = rows.filter(render__visualization=baseline)
    else:
        at = render.finished_at
        before = Q(render__finished_at__lt=at) | Q(render__finished_at=at, render__lt=render.id)
        rows = rows.filter(before, render__visualization__recipe=alert.recipe_id)
        rows = rows.filter(render__visualization__deleted_at=None)
        if alert.rule_id:
            rows = rows.filter(render__in=RuleRun.objects.filter(rule=alert.rule_id).values("render"))
    return rows.order_by("-render__finished_at", "-render").values_list("value", flat=True).first()


def _prune(now: datetime) -> int:
    """Forgets old deliveries, and checks of renders so long before each alert's cursor that none is asked for again."""
    old = Delivery.objects.filter(created_at__lt=now - KEPT, ended_at__lt=now - KEPT)
    checks = AlertCheck.objects.filter(
        created_at__lt=now - KEPT, render__finished_at__lt=F("alert__cursor") - timedelta(days=1)
    )
    return old.delete()[0] + checks.delete()[0]
