"""Who may do what to a visualization, and the audit log's word of it."""

from __future__ import annotations

from apps.accounts import audit, roles
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import access
from apps.visualizations import selectors
from apps.visualizations.exceptions import NotAllowedError, NotFoundError
from apps.visualizations.models import Render, Visualization


def right_check(caller: Caller, right: Right) -> None:
    """Requires a right of the caller.

    Raises:
        NotAllowedError: with a sentence for people.
    """
    if not caller.may(right):
        raise NotAllowedError(roles.refusal(right))


def change_check(caller: Caller, visualization: Visualization) -> None:
    """Refuses a caller that may not change a visualization.

    Raises:
        NotAllowedError: neither the owner with the right to create, nor an administrator.
    """
    right_check(caller, Right.CREATE)
    if not selectors.may_change(caller, visualization):
        raise NotAllowedError("Only its owner or an administrator may do this.")


def waiter_check(caller: Caller, render: Render) -> None:
    """Refuses a caller that did not ask for a render; the listener of Kubeflow's protocol asks without an account.

    Raises:
        NotAllowedError: somebody else asked for it.
    """
    right_check(caller, Right.CREATE)
    if render.requested_by_id != caller.user_id:
        raise NotAllowedError("Only the caller that waits for a render may do this.")


def namespace_check(caller: Caller, endpoint_key: str, namespace: str) -> None:
    """Refuses a caller that may not read a namespace, whose data a render would read or show.

    Raises:
        NotFoundError: whether there is such a namespace is not told.
    """
    if not access.may_read(caller, endpoint_key, namespace):
        raise NotFoundError(f"There is no namespace {namespace[:63]!r}, or you may not see it.")


def record(caller: Caller, action: str, visualization: Visualization, *, detail: str = "") -> None:
    """Writes into the audit log what was done to a visualization."""
    audit.record(
        caller,
        action,
        target=visualization.id,
        target_name=visualization.title,
        endpoint_key=visualization.endpoint_key,
        namespace=visualization.namespace,
        detail=detail,
    )
