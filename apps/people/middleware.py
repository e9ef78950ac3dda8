"""Who a request is from, where that is not a matter of a form: the only user of a machine, or the gateway's word."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from apps.people import roles
from apps.people.local import local_user_get
from apps.people.models import Right

USER_HEADER_META: Final = "vizportal.user_header"
_TOLD: Final = "VIZPORTAL_TOLD_USER"


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
            request.auser = sync_to_async(local_user_get)  # type: ignore[arg-type]
        return self.get_response(request)


class TrustedHeaderMiddleware(RemoteUserMiddleware):
    """With VIZPORTAL_AUTH=header, the gateway before the portal says who asks, in VIZPORTAL_AUTH_HEADER.

    Believed only from VIZPORTAL_TRUSTED_PROXIES. From anywhere else the header is taken off the request, in every mode,
    so that nothing after this can take a browser's word for it.
    """

    header = _TOLD

    def process_request(self, request: HttpRequest) -> None:
        """Signs in whom the gateway names, and signs out whom it names no longer."""
        _take_header(request)
        if settings.VIZPORTAL_AUTH == "header":
            super().process_request(request)

    async def aprocess_request(self, request: HttpRequest) -> None:
        """The same, for the asynchronous server."""
        _take_header(request)
        if settings.VIZPORTAL_AUTH == "header":
            await super().aprocess_request(request)


def _take_header(request: HttpRequest) -> None:
    """Moves the gateway's word to where Django's own middleware reads it; drops anybody else's."""
    meta = "HTTP_" + settings.VIZPORTAL_AUTH_HEADER.upper().replace("-", "_")
    told = str(request.META.pop(meta, ""))
    for name in (_TOLD, f"HTTP_{_TOLD}", USER_HEADER_META):
        request.META.pop(name, None)
    is_meant = settings.VIZPORTAL_AUTH == "header" and is_trusted(str(request.META.get("REMOTE_ADDR", "")))
    if told and is_meant:
        # Django reads the first of these names in its synchronous half and the second in the other.
        request.META |= {_TOLD: told, f"HTTP_{_TOLD}": told, USER_HEADER_META: told}


def is_trusted(address: str) -> bool:
    """Whether requests from this address may say who they are from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(each, strict=False) for each in settings.VIZPORTAL_TRUSTED_PROXIES)


class RightsMiddleware:
    """Refuses every page to who may not even look, with a page that says whom to ask."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Passes the request on; the check needs the view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """Checks the right to look, where one must be signed in at all.

        Raises:
            PermissionDenied: the account has no role.
        """
        is_open = not getattr(view, "login_required", True) or getattr(view, "is_open_to_all", False)
        if not is_open and request.user.is_authenticated and not roles.may(request.user, Right.VIEW):
            raise PermissionDenied(roles.refusal(Right.VIEW))
