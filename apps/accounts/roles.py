"""Roles: five permissions, four roles (each includes the permissions of the one before), and a group for each role."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from apps.accounts.models import Portal
from apps.accounts.rights import Right


class Role(enum.StrEnum):
    """A person's role; `NONE` may not view anything."""

    NONE = "none"
    VIEWER = "viewer"
    CREATOR = "creator"
    CODER = "coder"
    ADMINISTRATOR = "administrator"

    @property
    def group_name(self) -> str:
        """Name of the group whose members have this role."""
        return f"{self.value.capitalize()}s"

    @property
    def rights(self) -> frozenset[Right]:
        """The permissions of the role; an administrator has all."""
        return frozenset(Right if self is Role.ADMINISTRATOR else list(Right)[: list(Role).index(self)])


GROUP_ROLES: Final = tuple(role for role in Role if role is not Role.NONE)
# Apps that administrators manage in the admin site beyond the portal's permissions. Accounts are view-only: with more,
# administrators could make themselves superusers.
_MANAGED_APPS: Final = ("visualizations", "runs", "people", "notifications", "promotion", "reports", "rules", "sharing")
# Failed sign-ins: to see who is locked out, and to unlock them.
_LOCKOUT_RIGHTS: Final = ("view_accessattempt", "delete_accessattempt")


def may(user: Any, right: Right) -> bool:
    """Whether a user has a permission.

    It comes from their groups or, if those grant none, from VIZPORTAL_DEFAULT_ROLE. Superusers have all.
    """
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser:
        return True
    held = {each for each in Right if user.has_perm(f"people.{each.value}")}
    return right in (held or Role(settings.VIZPORTAL_DEFAULT_ROLE).rights)


def refusal(right: Right) -> str:
    """Returns the message for a caller without a permission."""
    needed = next(role for role in Role if right in role.rights)
    return (
        f"Your account may not do this: it needs the permission to {right.label[0].lower()}{right.label[1:]}. "
        f"Ask an administrator of this portal to add you to the group {needed.group_name}."
    )


def role_set(user: Any, role: Role) -> None:
    """Puts a person into exactly this role's group, and sets access to the admin site accordingly."""
    others = Group.objects.filter(name__in=[each.group_name for each in GROUP_ROLES])
    user.groups.remove(*others)
    if role is not Role.NONE:
        user.groups.add(Group.objects.get_or_create(name=role.group_name)[0])
    is_staff = role is Role.ADMINISTRATOR or user.is_superuser
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


def has_others(user: Any, right: Right) -> bool:
    """Whether another active account has a permission."""
    return people_with(right).exclude(pk=user.pk).exists()


def people_with(right: Right) -> QuerySet[Any]:
    """Returns the active accounts that have a permission, as `may` decides: superusers have all."""
    active = get_user_model().objects.filter(is_active=True)
    granted = Permission.objects.filter(content_type__app_label="people", codename__in=[each.value for each in Right])
    found = Q(is_superuser=True) | _holds(granted.filter(codename=right.value))
    if right in Role(settings.VIZPORTAL_DEFAULT_ROLE).rights:
        # The default role is for accounts without a permission of their own.
        found |= ~Q(pk__in=active.filter(_holds(granted)).values("pk"))
    return active.filter(found).distinct()


def _holds(permissions: QuerySet[Permission]) -> Q:
    return Q(groups__permissions__in=permissions) | Q(user_permissions__in=permissions)


def role_for(group_names: Iterable[str]) -> Role:
    """Returns the highest role that VIZPORTAL_ROLE_GROUPS gives to members of these groups.

    Without any such group, returns the default role.
    """
    held = set(group_names)
    given = [role for role in GROUP_ROLES if held & set(settings.VIZPORTAL_ROLE_GROUPS.get(role.value, ()))]
    return given[-1] if given else Role(settings.VIZPORTAL_DEFAULT_ROLE)


def groups_write(sender: Any = None, **_signal: Any) -> None:
    """Creates the roles' groups and grants their permissions, keeping those that an administrator added.

    Args:
        sender: the migrated app; only the last one has an effect, since each app creates its own permissions. None runs
            unconditionally.
    """
    managed_apps = [each.label for each in apps.get_app_configs() if each.label in {*_MANAGED_APPS, "axes"}]
    if sender is not None and sender.label != managed_apps[-1]:
        return
    kind = ContentType.objects.get_for_model(Portal)
    rights = {
        right: Permission.objects.get_or_create(
            codename=right.value, content_type=kind, defaults={"name": right.label}
        )[0]
        for right in Right
    }
    for role in GROUP_ROLES:
        group, _ = Group.objects.get_or_create(name=role.group_name)
        group.permissions.add(*(rights[right] for right in role.rights))
    managed = Permission.objects.filter(content_type__app_label__in=_MANAGED_APPS)
    looked_at = Permission.objects.filter(content_type__app_label="auth", codename__startswith="view_")
    locked = Permission.objects.filter(content_type__app_label="axes", codename__in=_LOCKOUT_RIGHTS)
    Group.objects.get(name=Role.ADMINISTRATOR.group_name).permissions.add(*managed, *looked_at, *locked)
