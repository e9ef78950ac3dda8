"""Evaluates a render for an alert: the key figure, its reference, and the resulting state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from apps.notifications.conditions import Finding, change_find, threshold_find
from apps.notifications.messages import Compared
from apps.notifications.models import Alert, AlertCheck, AlertEvent
from apps.rules.models import RuleRun
from apps.visualizations.models import Recipe, Render, RenderFigure, Visualization
from apps.visualizations.states import RenderState

FAILED_STATES: Final = (RenderState.FAILED, RenderState.TIMED_OUT, RenderState.LOST)
"""States of failed renders; a cancelled render causes no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The result of checking one render."""

    finding: Finding
    figure: Compared | None = None


def renders_unseen(alert: Alert) -> QuerySet[Render]:
    """Returns the ended renders that an alert has not checked yet, oldest first."""
    rows = Render.objects.filter(_ended(alert), visualization__deleted_at=None)
    rows = rows.filter(visualization__recipe=alert.recipe_id, finished_at__gt=alert.look_from)
    if alert.rule_id:
        rows = rows.filter(id__in=RuleRun.objects.filter(rule=alert.rule_id).values("render"))
    seen = AlertCheck.objects.filter(alert=alert).values("render")
    return rows.exclude(id__in=seen).select_related("visualization").order_by("finished_at", "id")


def _ended(alert: Alert) -> Q:
    if alert.event != AlertEvent.RENDER_FAILED:
        return Q(state=RenderState.SUCCEEDED)
    failed = Q(state__in=FAILED_STATES)
    if alert.fired_at is None:
        return failed
    return failed | Q(state=RenderState.SUCCEEDED, finished_at__gt=alert.fired_at)


def state_now(alert: Alert) -> bool | None:
    """Returns whether the condition holds for the latest render of the series; None if unknown."""
    if not AlertEvent(alert.event).is_of_figure:
        return None
    rows = Render.objects.filter(visualization__recipe=alert.recipe_id, visualization__deleted_at=None)
    rows = rows.filter(state=RenderState.SUCCEEDED, figures__name=alert.figure)
    latest = rows.select_related("visualization").order_by("-finished_at", "-id").first()
    return render_see(alert, latest).finding.is_met if latest else None


def render_see(alert: Alert, render: Render) -> Seen:
    """Returns the result of checking a render."""
    event = AlertEvent(alert.event)
    if event is AlertEvent.RENDER_FAILED:
        is_failed = render.state in FAILED_STATES
        return Seen(finding=Finding(is_met=is_failed, fires=is_failed, recovers=not is_failed))
    if not event.is_of_figure:
        return Seen(finding=Finding(is_met=None, fires=True))
    figure = RenderFigure.objects.filter(render=render, name=alert.figure).first()
    value = figure.value if figure else None
    if event is AlertEvent.FIGURE_CROSSED:
        assert alert.threshold is not None  # noqa: S101  (checked when it was made)
        is_above = alert.direction == "above"
        finding = threshold_find(alert.is_met, value, threshold=alert.threshold, is_above=is_above)
        return Seen(finding=finding, figure=_compared(figure, None, None))
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
    return Seen(finding=finding, figure=_compared(figure, reference, baseline))


def _compared(figure: RenderFigure | None, reference: float | None, baseline: Visualization | None) -> Compared | None:
    if figure is None:
        return None
    return Compared(
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
    """Returns the figure of the baseline, or of the previously ended render; None if there is none."""
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
