"""The reconciler's part: checks ended renders, and writes messages when an alert's condition is crossed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.notifications import deliveries, messages
from apps.notifications.addresses import targets_reseal
from apps.notifications.finding import FAILED_STATES, render_see, renders_unseen
from apps.notifications.models import RULE_EVENTS, Alert, AlertCheck, AlertEvent, Delivery
from apps.notifications.rights import refusal_of
from apps.rules.events import RuleSuccess, RuleTrouble
from apps.visualizations.models import Render
from apps.visualizations.states import RenderState

logger = logging.getLogger(__name__)
OVERLAP: Final = timedelta(minutes=15)
"""A worker may record a render's end up to five minutes late, with a clock that is slightly off."""
OLDEST: Final = timedelta(days=1)
"""Renders that ended longer ago cause no messages."""
KEPT: Final = timedelta(days=30)
"""How long deliveries are kept."""
LONGEST_PASS_S = 5.0
"""Maximum duration of a pass, so that the reconciler's other work can continue."""
MOST_RENDERS = 100
"""Maximum number of renders that an alert checks in one pass."""
# How long other reconcilers leave an alert to the one that works on it. Working concurrently does no harm.
_TURN: Final = timedelta(seconds=3)
_MOST_RESEALED: Final = 50


class _TakenError(Exception):
    """Another reconciler was faster, or the alert was changed meanwhile."""


@dataclass(slots=True)
class Scan:
    """State between passes: the time up to which all ended renders have been checked; None before the first pass."""

    complete_at: datetime | None = None

    def since(self, now: datetime) -> datetime:
        """Returns the time from which on a pass looks for ended renders."""
        return max(now - OLDEST, min(self.complete_at or now - OLDEST, now) - OVERLAP)


_scan: Final = Scan()


def alerts_pass(now: datetime | None = None, scan: Scan = _scan) -> int:
    """Checks ended renders and queues messages that are due; returns the number of actions taken.

    Safe at any time, concurrently with itself, and when killed at any point: an alert's state, the record of the check
    and the messages change in one transaction.

    Args:
        now: None for the current time.
        scan: kept between passes, so that each pass covers only the last minutes; the first one covers a day.
    """
    now, began = now or timezone.now(), time.monotonic()
    done = deliveries.deliveries_release(now)
    is_complete = True
    for alert in alerts_due(now, scan.since(now)):
        if time.monotonic() - began > LONGEST_PASS_S:
            is_complete = False
            break
        if _take_turn(alert, now):
            done += alert_work(alert, now)
            # Alerts with a problem are due in each pass anyway.
            is_complete &= bool(alert.problem) or not renders_unseen(alert).exists()
    if is_complete:
        scan.complete_at = now
    done += deliveries.deliveries_enqueue(now)
    return done + targets_reseal(_MOST_RESEALED) + _prune(now)


def alert_work(alert: Alert, now: datetime) -> int:
    """Checks the renders that ended since the last check; returns how many messages were written."""
    renders = list(renders_unseen(alert)[:MOST_RENDERS])
    if not renders and not alert.problem:
        return 0
    problem = refusal_of(alert)
    if problem != alert.problem:
        Alert.objects.filter(id=alert.id).update(problem=problem)
        alert.problem = problem
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


def rule_trouble_note(trouble: RuleTrouble) -> None:
    """Writes messages for alerts on a failed run or pause of a rule, in the transaction that records it."""
    now, run = timezone.now(), trouble.run
    event = AlertEvent.RULE_FAILED if run else AlertEvent.RULE_PAUSED
    # A rule that is resumed and paused again causes a new message, so the time is part of the key.
    key = f"rule_run:{run.id}" if run else f"rule_paused:{now.isoformat()}"
    named = (run.run_id, run.run_name) if run else None
    for alert in Alert.objects.filter(rule=trouble.rule, event=event, is_enabled=True).select_related("recipe"):
        message = messages.rule_message(alert, trouble.rule, named, trouble.message)
        deliveries.deliveries_write(alert, key, message, now)
        Alert.objects.filter(id=alert.id).update(fired_at=now, is_met=True)


def rule_success_note(success: RuleSuccess) -> None:
    """Writes messages for alerts that reported trouble with a rule, once the rule has rendered a run again."""
    now, run = timezone.now(), success.run
    waiting = Alert.objects.filter(rule=success.rule, is_enabled=True, fired_at__isnull=False)
    for alert in waiting.filter(event__in=RULE_EVENTS).select_related("recipe"):
        if not Alert.objects.filter(id=alert.id, fired_at=alert.fired_at).update(fired_at=None, is_met=False):
            continue
        if alert.sends_recovery:
            named = (run.run_id, run.run_name)
            message = messages.rule_message(alert, success.rule, named, "", is_recovered=True)
            deliveries.deliveries_write(alert, f"rule_recovered:{run.id}", message, now)


def alerts_due(now: datetime, since: datetime) -> list[Alert]:
    """Returns the alerts that have renders to check, in three queries, since most alerts usually have none.

    Args:
        since: only renders that ended later make an alert due; it then also checks earlier ones.
    """
    ended = Render.objects.filter(finished_at__gt=since, visualization__deleted_at=None)
    ended = ended.exclude(visualization__recipe=None).filter(state__in=[RenderState.SUCCEEDED, *FAILED_STATES])
    by_recipe: dict[Any, list[tuple[Any, datetime | None, bool]]] = {}
    for recipe_id, render_id, at, state in ended.values_list("visualization__recipe", "id", "finished_at", "state"):
        by_recipe.setdefault(recipe_id, []).append((render_id, at, state != RenderState.SUCCEEDED))
    seen = set(AlertCheck.objects.filter(render__finished_at__gt=since).values_list("alert", "render"))
    free = Q(looked_at=None) | Q(looked_at__lt=now - _TURN) | Q(looked_at__gt=now + _TURN)
    wanted = Q(recipe__in=ended.values("visualization__recipe")) | ~Q(problem="")
    rows = Alert.objects.filter(free, wanted, is_enabled=True).select_related("owner", "recipe__baseline")
    rows = rows.exclude(event__in=RULE_EVENTS)
    return [
        alert
        for alert in rows.order_by(F("looked_at").asc(nulls_first=True))
        if alert.problem
        or any(
            at is not None
            and at > alert.look_from
            and _concerns(alert, at, is_failed=is_failed)
            and (alert.id, render_id) not in seen
            for render_id, at, is_failed in by_recipe.get(alert.recipe_id, ())
        )
    ]


def _concerns(alert: Alert, at: datetime, *, is_failed: bool) -> bool:
    if alert.event != AlertEvent.RENDER_FAILED:
        return not is_failed
    return is_failed or (alert.fired_at is not None and at > alert.fired_at)


def _take_turn(alert: Alert, now: datetime) -> bool:
    same = Alert.objects.filter(id=alert.id, is_enabled=True, version=alert.version, looked_at=alert.looked_at)
    return bool(same.update(looked_at=now))


@transaction.atomic
def _look(alert: Alert, render: Render, now: datetime) -> int:
    """Checks one render: updates the alert's state, records the check and writes messages, all or nothing."""
    seen = render_see(alert, render)
    assert render.finished_at is not None  # noqa: S101  (it was selected by it)
    is_news = render.finished_at > now - OLDEST
    fires, is_over = seen.finding.fires and is_news, seen.finding.recovers and alert.fired_at is not None
    says_so = fires or (is_over and is_news and alert.sends_recovery)
    values: dict[str, Any] = {
        "version": alert.version + 1,
        "is_met": seen.finding.is_met,
        "look_from": max(alert.look_from, render.finished_at - OVERLAP),
        "fired_at": render.finished_at if fires else None if is_over else alert.fired_at,
    }
    same = Alert.objects.filter(id=alert.id, version=alert.version, is_enabled=True)
    if not same.update(**values):
        raise _TakenError
    value, reference = (seen.figure.value, seen.figure.reference) if seen.figure else (None, None)
    AlertCheck.objects.create(
        alert=alert, render=render, value=value, reference=reference, fired=says_so, created_at=now
    )
    written = 0
    if says_so:
        message = messages.render_message(alert, render, seen.figure, is_recovered=is_over)
        written = deliveries.deliveries_write(alert, f"render:{render.id}", message, now)
    for name, each in values.items():
        setattr(alert, name, each)
    return written


def _prune(now: datetime) -> int:
    """Deletes old deliveries, and records of checks that are no longer needed to skip a render."""
    old = Delivery.objects.filter(created_at__lt=now - KEPT, ended_at__lt=now - KEPT)
    checks = AlertCheck.objects.filter(created_at__lt=now - KEPT, render__finished_at__lt=F("alert__look_from"))
    # An empty DELETE would still lock: SQLite has one writer at a time.
    return sum(rows.delete()[0] for rows in (old, checks) if rows.exists())
