"""Read access to alerts: callers see their own; those who may see everything see all."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.notifications.models import Alert, AlertCheck, Delivery
from apps.rules.models import Rule
from apps.rules.selectors import rules_visible
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Recipe, RenderFigure
from apps.visualizations.selectors import renders_visible


def alerts_visible(caller: Caller) -> QuerySet[Alert]:
    """Returns the alerts that a caller may see and change, newest first."""
    rows = Alert.objects.select_related("owner", "recipe", "rule").prefetch_related("targets")
    if not caller.may(Right.VIEW):
        return rows.none()
    return rows if caller.sees_everything else rows.filter(owner=caller.user_id)


def alert_get(caller: Caller, alert_id: UUID | str) -> Alert:
    """Returns an alert.

    Raises:
        NotFoundError: there is none, or it belongs to somebody else.
    """
    found = alerts_visible(caller).filter(id=alert_id).first()
    if found is None:
        raise NotFoundError("There is no such alert.")
    return found


def alert_deliveries(caller: Caller, alert: Alert) -> QuerySet[Delivery]:
    """Returns the messages of an alert, newest first."""
    rows = Delivery.objects.filter(alert__in=alerts_visible(caller).values("id"), alert=alert)
    return rows.select_related("target")


def alert_checks(caller: Caller, alert: Alert) -> QuerySet[AlertCheck]:
    """Returns an alert's checks of renders that the caller may see, newest first."""
    rows = AlertCheck.objects.filter(alert__in=alerts_visible(caller).values("id"), alert=alert)
    rows = rows.filter(render__in=renders_visible(caller).values("id"))
    return rows.select_related("render__visualization").order_by("-created_at", "-id")


def series_figures(caller: Caller, recipe: Recipe) -> list[str]:
    """Returns the names of all key figures in the renders of a series that the caller may see."""
    rows = RenderFigure.objects.filter(render__in=renders_visible(caller).filter(visualization__recipe=recipe))
    return sorted(set(rows.order_by().values_list("name", flat=True).distinct()))


def series_rules(caller: Caller, recipe: Recipe) -> QuerySet[Rule]:
    """Returns the caller's rules that add to a series."""
    return rules_visible(caller).filter(recipe=recipe)
