"""Who may do what to a visualization, and the audit log's word of it."""

from __future__ import annotations

from typing import Any

from apps.people import audit, roles
from apps.people.models import Right
from apps.runs.access import current_request
from apps.visualizations import selectors
from apps.visualizations.exceptions import NotAllowedError
from apps.visualizations.models import Visualization


def right_check(user: Any, right: Right) -> None:
    """Refuses who has not the right.

    Raises:
        NotAllowedError: with a sentence for people.
    """
    if not roles.may(user, right):
        raise NotAllowedError(roles.refusal(right))


def change_check(user: Any, visualization: Visualization) -> None:
    """Refuses who may not change a visualization.

    Raises:
        NotAllowedError: neither the owner nor staff.
    """
    if not selectors.may_change(user, visualization):
        raise NotAllowedError("Only its owner or an administrator may do this.")


def record(action: str, user: Any, visualization: Visualization, *, detail: str = "") -> None:
    """Writes into the audit log what was done to a visualization."""
    audit.record(
        action,
        user=user,
        request=current_request.get(),
        target=visualization.id,
        target_name=visualization.title,
        endpoint_key=visualization.endpoint_key,
        namespace=visualization.namespace,
        detail=detail,
    )
