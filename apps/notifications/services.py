"""Creates, changes, tests and deletes alerts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.notifications import deliveries, messages
from apps.notifications.addresses import (
    Address,
    AddressRefusedError,
    email_address,
    secret_make,
    target_of,
    web_address,
)
from apps.notifications.definitions import AlertDefinition, definition_check, usual_name
from apps.notifications.finding import state_now
from apps.notifications.models import Alert, AlertTarget, Delivery, TargetKind
from apps.notifications.rights import refusal_of
from apps.notifications.sending import address_check
from apps.rules.models import Rule
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError
from apps.visualizations.lines import line_clean
from apps.visualizations.models import Recipe
from apps.visualizations.services.rights import change_check, namespace_check, right_check

MOST_ALERTS: Final = 50
"""Maximum number of alerts per owner."""
MOST_TARGETS: Final = 5
"""Maximum number of targets per alert."""
MOST_TESTS_PER_HOUR: Final = 10
_MOST_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAlert:
    """A newly created alert.

    Attributes:
        secrets: signing secret of each webhook, by the target's primary key; shown only once.
    """

    alert: Alert
    secrets: dict[int, str]


def alert_create(
    caller: Caller,
    recipe: Recipe,
    definition: AlertDefinition,
    targets: Sequence[tuple[TargetKind, str]],
    *,
    rule: Rule | None = None,
    name: str = "",
    sends_recovery: bool = True,
) -> MadeAlert:
    """Creates an alert on a series that the caller may see. It checks renders that end from now on.

    Args:
        targets: kinds and addresses.
        rule: limits the alert to the runs of this rule, which the caller may see.
        sends_recovery: whether to send a message when the condition ends.

    Raises:
        NotAllowedError: the caller is not a person, or lacks the permission to view.
        InvalidRequestError: too many alerts, an invalid condition, or a target that is refused.
        NotFoundError: the caller may not read the series' namespace.
    """
    right_check(caller, Right.VIEW)
    if not caller.is_person:
        raise NotAllowedError("Only a person can create an alert: it uses its owner's permissions.")
    namespace_check(caller, recipe.endpoint_key, recipe.namespace)
    definition_check(definition, rule, recipe)
    addresses = _addresses_clean(caller, targets)
    if Alert.objects.filter(owner=caller.user_id).count() >= MOST_ALERTS:
        raise InvalidRequestError(f"You already have {MOST_ALERTS} alerts, the limit for one person. Delete one first.")
    alert = Alert(
        name=line_clean(name, most=_MOST_NAME_CHARS, what="name")
        or usual_name(definition, rule, recipe)[:_MOST_NAME_CHARS],
        owner=caller.owner,
        recipe=recipe,
        rule=rule,
        sends_recovery=sends_recovery,
        **definition.columns(),
    )
    problem = refusal_of(alert)
    if problem:
        raise InvalidRequestError(f"This alert could not work while you are away. {problem}")
    alert.is_met = state_now(alert)
    with transaction.atomic():
        alert.save(force_insert=True)
        secrets = _targets_save(alert, addresses)
        _record(caller, "alert.create", alert, detail=_targets_text(alert))
    return MadeAlert(alert=alert, secrets=secrets)


def alert_change(
    caller: Caller,
    alert: Alert,
    *,
    is_enabled: bool | None = None,
    name: str | None = None,
    definition: AlertDefinition | None = None,
    sends_recovery: bool | None = None,
) -> None:
    """Pauses, resumes, renames or redefines an alert. Renders that end during a pause are never reported.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
        InvalidRequestError: the name or the condition is invalid.
    """
    change_check(caller, alert, Right.VIEW)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = line_clean(name, most=_MOST_NAME_CHARS, what="name") or alert.name
    if definition is not None:
        definition_check(definition, alert.rule, alert.recipe)
        values |= definition.columns()
    if sends_recovery is not None:
        values["sends_recovery"] = sends_recovery
    if is_enabled is not None and is_enabled != alert.is_enabled:
        values["is_enabled"] = is_enabled
    detail = ", ".join(f"{key} {value}" for key, value in values.items())
    if values.get("is_enabled") or definition is not None:
        for key, value in values.items():
            setattr(alert, key, value)
        values |= {"is_met": state_now(alert), "look_from": timezone.now(), "problem": "", "fired_at": None}
    with transaction.atomic():
        # The new version stops a reconciler that has read the old state.
        Alert.objects.filter(id=alert.id).update(**values, version=F("version") + 1)
        _record(caller, "alert.change", alert, detail=detail)
    alert.refresh_from_db()


def alert_delete(caller: Caller, alert: Alert) -> None:
    """Deletes an alert with its messages, including those not yet sent.

    Raises:
        NotAllowedError: see `alert_change`.
    """
    change_check(caller, alert, Right.VIEW)
    with transaction.atomic():
        _record(caller, "alert.delete", alert)
        alert.delete()


def alert_test(caller: Caller, alert: Alert) -> int:
    """Sends a test to each target of an alert, even if it is paused; returns how many.

    Raises:
        NotAllowedError: see `alert_change`.
        InvalidRequestError: too many tests within the last hour, or the owner may no longer see the series.
    """
    change_check(caller, alert, Right.VIEW)
    now = timezone.now()
    problem = refusal_of(alert)
    if problem:
        raise InvalidRequestError(problem)
    recent = Delivery.objects.filter(alert__owner=alert.owner_id, created_at__gt=now - timedelta(hours=1))
    if recent.filter(key__startswith="test:").count() >= MOST_TESTS_PER_HOUR:
        raise InvalidRequestError(f"You can send at most {MOST_TESTS_PER_HOUR} tests an hour. Try again later.")
    with transaction.atomic():
        count = deliveries.deliveries_write(alert, f"test:{uuid.uuid4()}", messages.trial_message(alert), now)
        _record(caller, "alert.test", alert, detail=_targets_text(alert))
    return count


def _addresses_clean(caller: Caller, targets: Iterable[tuple[TargetKind, str]]) -> list[Address]:
    found: dict[tuple[TargetKind, str], Address] = {}
    for kind, text in targets:
        try:
            address = _address_clean(caller, kind, text)
        except AddressRefusedError as error:
            raise InvalidRequestError.at(kind.value, str(error)) from error
        found[kind, address.address] = address
    if not found:
        raise InvalidRequestError("Give at least one target.", fields={"targets": "At least one is needed."})
    if len(found) > MOST_TARGETS:
        text = f"An alert has at most {MOST_TARGETS} targets."
        raise InvalidRequestError.at("targets", text)
    return list(found.values())


def _address_clean(caller: Caller, kind: TargetKind, text: str) -> Address:
    if kind is TargetKind.EMAIL:
        own = str(getattr(caller.user, "email", "") or "")
        return Address(kind=kind, address=email_address(text, own=own, is_free=caller.may(Right.ADMINISTER)))
    address = Address(kind=kind, address=web_address(text).geturl())
    address_check(address.address)
    return replace(address, secret=secret_make()) if kind is TargetKind.WEBHOOK else address


def _targets_save(alert: Alert, addresses: Iterable[Address]) -> dict[int, str]:
    secrets: dict[int, str] = {}
    for address in addresses:
        target: AlertTarget = target_of(address)
        target.alert = alert
        target.save(force_insert=True)
        if address.secret:
            secrets[target.pk] = address.secret
    return secrets


def _targets_text(alert: Alert) -> str:
    return "; ".join(map(str, alert.targets.all()))


def _record(caller: Caller, action: str, alert: Alert, *, detail: str = "") -> None:
    audit.record(
        caller,
        action,
        target=alert.id,
        target_name=alert.name,
        endpoint_key=alert.recipe.endpoint_key,
        namespace=alert.recipe.namespace,
        detail=detail,
    )
