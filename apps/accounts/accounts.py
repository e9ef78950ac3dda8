"""Which accounts a caller may manage in the admin site, without gaining permissions or taking away ones they lack.

A new password lets its setter sign in as the account, so managing an account requires every permission it has.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right


def may_manage(caller: Caller, account: Any) -> bool:
    """Whether a caller may change, delete or sign out somebody else's account.

    Superusers may manage all accounts. Others with Django's permission for accounts manage only accounts that are not
    superusers and have no permission that the caller lacks.
    """
    if caller.is_trusted or caller.sees_everything:
        return True
    if not caller.may(Right.ADMINISTER) or account.is_superuser:
        return False
    held: set[str] = caller.user.get_all_permissions()
    return _permissions(Q(user=account) | Q(group__user=account)) <= held


def manage_check(caller: Caller, account: Any) -> None:
    """Requires that a caller may manage an account.

    Raises:
        PermissionDenied: the caller may not; the message is meant for users.
    """
    if not may_manage(caller, account):
        raise PermissionDenied(
            f"You may not manage the account {account.get_username()}: it is a superuser's, or has permissions that "
            "yours does not have. Ask a superuser."
        )


def groups_assignable(caller: Caller) -> QuerySet[Group]:
    """Returns the groups that a caller may assign: those without permissions that the caller lacks."""
    groups = Group.objects.order_by("name")
    if caller.is_trusted or caller.sees_everything:
        return groups
    if not caller.may(Right.ADMINISTER):
        return groups.none()
    held = caller.user.get_all_permissions()
    chosen = [group.pk for group in groups if _permissions(Q(group=group)) <= held]
    return groups.filter(pk__in=chosen)


def _permissions(held_by: Q) -> set[str]:
    """Returns permissions as "app_label.codename"; unlike Django's own check, includes those of inactive accounts."""
    rows = Permission.objects.filter(held_by).values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in rows}
