"""What an absent owner or recipient may still see."""

from __future__ import annotations

from apps.accounts.caller import absent_caller
from apps.accounts.rights import Right
from apps.notifications.models import Alert, Delivery
from apps.promotion.models import VersionState
from apps.runs import access


def refusal_of(alert: Alert) -> str:
    """Returns why nothing may be sent on behalf of an alert's owner now, as a sentence; "" if it may."""
    name = alert.owner.get_username()
    caller = absent_caller(alert.owner)
    if not caller.is_person:
        return f"Nothing is sent: the account {name} is not active."
    if not caller.may(Right.VIEW):
        return f"Nothing is sent: {name} may no longer see results here."
    if not access.may_read(caller, alert.recipe.endpoint_key, alert.recipe.namespace):
        return (
            f"Nothing is sent: {name} may not read the namespace {alert.recipe.namespace}, "
            "or Kubeflow cannot be asked about it."
        )
    return ""


def refusal_of_person(row: Delivery) -> str:
    """Returns why a message to a person may not be sent now, as a sentence; "" if it may.

    People who may no longer approve proposals are not told about new ones.
    """
    person = row.recipient
    if person is None or not person.is_active or not person.email:
        return "Nothing is sent: the account is not active, or has no e-mail address."
    needed = Right.APPROVE if row.message.get("event") == VersionState.PROPOSED else Right.VIEW
    if not absent_caller(person).may(needed):
        return f"Nothing is sent: {person.get_username()} may no longer see this."
    return ""
