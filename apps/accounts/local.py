"""The single user of a portal on a personal machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LOCAL_USERNAME = "local"


def local_user_get() -> AbstractBaseUser:
    """Returns the single user of a personal machine, created at first use: a superuser without a password."""
    user, created = get_user_model().objects.get_or_create(
        username=LOCAL_USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
