"""Whom a caller may manage in the admin site: nobody gains a right by managing an account, or takes one that they lack.

Changing somebody's password is to become them, so whoever manages an account must have every permission it has.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right


def may_manage(caller: Caller, account: Any) -> bool:
    """Whether a caller may change, delete or sign out an account of somebody else.

    Superusers may manage all accounts. Who else has Django's permission for accounts manages only accounts that are no
    superuser's and that have no permission which the caller lacks.
    """
    if caller.is_trusted or caller.sees_everything:
        return True
    if not caller.may(Right.ADMINISTER) or account.is_superuser:
        return False
    held: set[str] = caller.user.get_all_permissions()
    return _permissions(Q(user=account) | Q(group__user=account)) <= held


def manage_check(caller: Caller, account: Any) -> None:
    """Refuses a caller that may not manage an account.

    Raises:
        PermissionDenied: with a sentence for people.
    """
    if not may_manage(caller, account):
        raise PermissionDenied(
            f"You may not manage the account {account.get_username()}: it is a superuser's, or has permissions that "
            "yours does not have. Ask a superuser."
        )


def groups_assignable(caller: Caller) -> QuerySet[Group]:
    """Returns the groups that a caller may put people into: those with no permission which the caller lacks."""
    groups = Group.objects.order_by("name")
    if caller.is_trusted or caller.sees_everything:
        return groups
    if not caller.may(Right.ADMINISTER):
        return groups.none()
    held = caller.user.get_all_permissions()
    chosen = [group.pk for group in groups if _permissions(Q(group=group)) <= held]
    return groups.filter(pk__in=chosen)


def _permissions(held_by: Q) -> set[str]:
    """Returns permissions as Django names them, also those of an account that is switched off."""
    rows = Permission.objects.filter(held_by).values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in rows}
