"""API operations of alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import caller_of
from apps.notifications import selectors, services
from apps.notifications.definitions import AlertDefinition, definition_of
from apps.notifications.models import Alert, AlertEvent, Delivery, TargetKind
from apps.rules.selectors import rule_get
from apps.visualizations.api.pages import page_at
from apps.visualizations.api.schemas import errors
from apps.visualizations.selectors import recipe_get

router = Router(tags=["alerts"])
PageSize = Annotated[int, Query(ge=1, le=200)]


class ConditionIn(Schema):
    """An alert's condition; `event` determines which other fields are required."""

    event: AlertEvent
    figure: str = ""
    direction: str = Field("", description="above or below; for figure_crossed")
    threshold: float | None = None
    change: float | None = Field(None, description="the change above which it fires; for figure_changed")
    percent: bool = Field(
        default=False, description="whether `change` is a percentage of the value that it is compared with"
    )

    def definition(self) -> AlertDefinition:
        """Returns the condition."""
        return AlertDefinition(
            event=self.event,
            figure=self.figure,
            direction=self.direction,
            threshold=self.threshold,
            change=self.change,
            is_percent=self.percent,
        )


class TargetIn(Schema):
    """A target: an e-mail address or a web address."""

    kind: TargetKind
    address: str


class AlertIn(Schema):
    """A new alert on a series, or on the visualizations that a rule adds to it."""

    series_id: UUID
    rule_id: UUID | None = None
    title: str = ""
    condition: ConditionIn
    targets: list[TargetIn]
    recovery: bool = Field(default=True, description="whether a message is sent when the condition is over")


class AlertChanges(Schema):
    """Changes to an alert; omitted fields stay as they are."""

    title: str | None = None
    enabled: bool | None = None
    condition: ConditionIn | None = None
    recovery: bool | None = None


class TargetOut(Schema):
    """A target; a web address shows only scheme and host. `secret` is returned once, when the alert is created."""

    id: int
    kind: str
    address: str
    secret: str | None = None


class ConditionOut(Schema):
    """An alert's condition."""

    event: str
    figure: str
    direction: str
    threshold: float | None
    change: float | None
    percent: bool


class AlertOut(Schema):
    """An alert. `met`: whether its condition last held; null if unknown, or for events without a state."""

    id: str
    title: str
    url: str
    series_id: str
    rule_id: str | None
    owner: str
    enabled: bool
    recovery: bool
    problem: str
    met: bool | None
    condition: ConditionOut
    targets: list[TargetOut]
    created_at: datetime


class AlertPage(Schema):
    """A page of alerts."""

    items: list[AlertOut]
    next: str | None


class DeliveryOut(Schema):
    """A message to one target. `id` is also part of the message, and the same at each attempt."""

    id: str
    target_id: int
    title: str
    test: bool
    recovered: bool
    state: str
    attempts: int
    status_code: int | None
    error: str
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


class DeliveryPage(Schema):
    """A page of messages."""

    items: list[DeliveryOut]
    next: str | None


class TestOut(Schema):
    """The number of targets to which a test was queued."""

    sent: int


@router.get("", response={200: AlertPage, **errors(400)}, url_name="alerts")
def alerts_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists your alerts, newest first."""
    found, following = page_at(selectors.alerts_visible(caller_of(request)), page_size=page_size, page_token=page_token)
    return {"items": [_shape(each) for each in found], "next": following}


@router.post("", response={201: AlertOut, **errors(400, 404)}, url_name="alert_create")
def alert_create(request: HttpRequest, payload: AlertIn) -> Any:
    """Creates an alert with your permissions. Only this response contains its webhooks' secrets."""
    caller = caller_of(request)
    recipe = recipe_get(caller, payload.series_id)
    rule = rule_get(caller, payload.rule_id) if payload.rule_id else None
    targets = [(each.kind, each.address) for each in payload.targets]
    made = services.alert_create(
        caller,
        recipe,
        payload.condition.definition(),
        targets,
        rule=rule,
        name=payload.title,
        sends_recovery=payload.recovery,
    )
    return Status(201, _shape(made.alert, made.secrets))


@router.get("/{alert_id}", response={200: AlertOut, **errors(404)}, url_name="alert")
def alert_get(request: HttpRequest, alert_id: UUID) -> Any:
    """Returns an alert."""
    return _shape(selectors.alert_get(caller_of(request), alert_id))


@router.patch("/{alert_id}", response={200: AlertOut, **errors(400, 404)})
def alert_change(request: HttpRequest, alert_id: UUID, payload: AlertChanges) -> Any:
    """Changes an alert: pauses or resumes it, renames it, or sets its condition and recovery messages."""
    caller = caller_of(request)
    alert = selectors.alert_get(caller, alert_id)
    definition = payload.condition.definition() if payload.condition else None
    services.alert_change(
        caller,
        alert,
        is_enabled=payload.enabled,
        name=payload.title,
        definition=definition,
        sends_recovery=payload.recovery,
    )
    return _shape(alert)


@router.delete("/{alert_id}", response={204: None, **errors(404)})
def alert_delete(request: HttpRequest, alert_id: UUID) -> Any:
    """Deletes an alert; messages not yet sent are discarded."""
    caller = caller_of(request)
    services.alert_delete(caller, selectors.alert_get(caller, alert_id))
    return Status(204, None)


@router.post("/{alert_id}/test", response={202: TestOut, **errors(400, 404)}, url_name="alert_test")
def alert_test(request: HttpRequest, alert_id: UUID) -> Any:
    """Sends a test to each target; its deliveries report the outcome."""
    caller = caller_of(request)
    return Status(202, {"sent": services.alert_test(caller, selectors.alert_get(caller, alert_id))})


@router.get("/{alert_id}/deliveries", response={200: DeliveryPage, **errors(400, 404)}, url_name="alert_deliveries")
def deliveries_list(request: HttpRequest, alert_id: UUID, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists an alert's messages, newest first."""
    caller = caller_of(request)
    rows = selectors.alert_deliveries(caller, selectors.alert_get(caller, alert_id))
    found, following = page_at(rows, page_size=page_size, page_token=page_token)
    return {"items": [_delivery_shape(each) for each in found], "next": following}


def _shape(alert: Alert, secrets: dict[int, str] | None = None) -> dict[str, Any]:
    condition = definition_of(alert)
    shown = secrets or {}
    targets = [
        {"id": each.pk, "kind": each.kind, "address": each.shown, "secret": shown.get(each.pk)}
        for each in alert.targets.all()
    ]
    return {
        "id": str(alert.id),
        "title": alert.name,
        "url": alert.get_absolute_url(),
        "series_id": str(alert.recipe_id),
        "rule_id": str(alert.rule_id) if alert.rule_id else None,
        "owner": alert.owner.get_username(),
        "enabled": alert.is_enabled,
        "recovery": alert.sends_recovery,
        "problem": alert.problem,
        "met": alert.is_met,
        "condition": {
            "event": condition.event.value,
            "figure": condition.figure,
            "direction": condition.direction,
            "threshold": condition.threshold,
            "change": condition.change,
            "percent": condition.is_percent,
        },
        "targets": targets,
        "created_at": alert.created_at,
    }


def _delivery_shape(row: Delivery) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "target_id": row.target_id,
        "title": row.message["title"],
        "test": row.is_test,
        "recovered": row.is_recovery,
        "state": row.state,
        "attempts": row.attempts,
        "status_code": row.status_code,
        "error": row.error,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "ended_at": row.ended_at,
    }
