"""Signing in: on one's own machine the only user is signed in as administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.functional import SimpleLazyObject

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

LOCAL_USERNAME = "local"


def local_user_get() -> AbstractBaseUser:
    """Returns the one user of a machine of one's own, made at first use: a superuser without a password."""
    user, created = get_user_model().objects.get_or_create(
        username=LOCAL_USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


class LocalUserMiddleware:
    """With VIZPORTAL_AUTH=local, every request is the local user's.

    `up` refuses to bind anything but loopback in this mode, and ALLOWED_HOSTS keeps out other names (DNS rebinding).
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Puts the local user on the request, looked up only when somebody asks for it."""
        if settings.VIZPORTAL_AUTH == "local":
            request.user = SimpleLazyObject(local_user_get)  # type: ignore[assignment]
            request.auser = _local_user_aget  # type: ignore[assignment]
        return self.get_response(request)


async def _local_user_aget() -> AbstractBaseUser | AnonymousUser:
    from asgiref.sync import sync_to_async  # noqa: PLC0415

    return await sync_to_async(local_user_get)()
