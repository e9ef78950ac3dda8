"""Permission checks for changes to visualizations, and their entries in the audit log."""

from __future__ import annotations

from typing import Any, Protocol

from apps.accounts import audit, roles
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import access
from apps.visualizations.exceptions import NotAllowedError, NotFoundError
from apps.visualizations.models import Render, Visualization


class Owned(Protocol):
    """An object that belongs to an account, such as a visualization, a report, a rule or an alert.

    Attributes:
        owner_id: None if it belongs to nobody.
    """

    owner_id: Any


def right_check(caller: Caller, right: Right) -> None:
    """Requires a permission of the caller.

    Raises:
        NotAllowedError: the caller lacks it; the message is meant for users.
    """
    if not caller.may(right):
        raise NotAllowedError(roles.refusal(right))


def change_check(caller: Caller, owned: Owned, right: Right = Right.CREATE) -> None:
    """Requires that the caller may change an object.

    Raises:
        NotAllowedError: the caller is neither the owner, with the permission, nor an administrator.
    """
    right_check(caller, right)
    if not caller.may_change(owned.owner_id, right):
        raise NotAllowedError("Only its owner or an administrator may do this.")


def waiter_check(caller: Caller, render: Render) -> None:
    """Requires that the caller requested the render. On Kubeflow's own listener, neither has an account.

    Raises:
        NotAllowedError: somebody else requested it.
    """
    right_check(caller, Right.CREATE)
    if render.requested_by_id != caller.user_id:
        raise NotAllowedError("Only the caller that waits for a render may do this.")


def namespace_check(caller: Caller, endpoint_key: str, namespace: str) -> None:
    """Requires that the caller may read a namespace whose data a render would read or show.

    Raises:
        NotFoundError: the caller may not; the error does not reveal whether the namespace exists.
    """
    if not access.may_read(caller, endpoint_key, namespace):
        raise NotFoundError(f"There is no namespace {namespace[:63]!r}, or you may not see it.")


def record(caller: Caller, action: str, visualization: Visualization, *, detail: str = "") -> None:
    """Records an action on a visualization in the audit log."""
    audit.record(
        caller,
        action,
        target=visualization.id,
        target_name=visualization.title,
        endpoint_key=visualization.endpoint_key,
        namespace=visualization.namespace,
        detail=detail,
    )
