"""Identifies the user of each request where no form does: the only user of a machine, or a trusted gateway's header.

It also requires the right to view, and a fresh sign-in for the admin site.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware, RemoteUserMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from apps.accounts import audit, sessions
from apps.accounts.addresses import is_trusted
from apps.accounts.caller import ADMIN_PATH, caller_of
from apps.accounts.local import local_user_get
from apps.accounts.rights import Right
from apps.ui.parts import SIGNED_OUT, page_before, part_error

USER_HEADER_META: Final = "vizportal.user_header"
_TOLD: Final = "VIZPORTAL_TOLD_USER"


class LocalUserMiddleware:
    """With VIZPORTAL_AUTH=local, every request is the local user's.

    `up` refuses to bind anything but loopback in this mode, and ALLOWED_HOSTS keeps out other names (DNS rebinding).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Puts the local user on the request, looked up only when somebody asks for it."""
        if settings.VIZPORTAL_AUTH == "local":
            request.user = SimpleLazyObject(local_user_get)  # type: ignore[assignment]
        return self.get_response(request)


class TrustedHeaderMiddleware(RemoteUserMiddleware):
    """With VIZPORTAL_AUTH=header, the gateway before the portal says who asks, in VIZPORTAL_AUTH_HEADER.

    Believed only from VIZPORTAL_TRUSTED_PROXIES. From anywhere else the header is taken off the request, in every mode,
    so that nothing after this can take a browser's word for it.
    """

    header = _TOLD
    async_capable = False  # type: ignore[assignment]

    def process_request(self, request: HttpRequest) -> None:
        """Signs in whom the gateway names, and signs out whom it names no longer."""
        _take_header(request)
        if settings.VIZPORTAL_AUTH == "header":
            super().process_request(request)


def _take_header(request: HttpRequest) -> None:
    """Moves the gateway's word to where Django's own middleware reads it; drops anybody else's."""
    meta = "HTTP_" + settings.VIZPORTAL_AUTH_HEADER.upper().replace("-", "_")
    told = str(request.META.pop(meta, ""))
    for name in (_TOLD, USER_HEADER_META):
        request.META.pop(name, None)
    is_meant = settings.VIZPORTAL_AUTH == "header" and is_trusted(str(request.META.get("REMOTE_ADDR", "")))
    if told and is_meant:
        request.META |= {_TOLD: told, USER_HEADER_META: told}


class SignInMiddleware(LoginRequiredMiddleware):
    """Asks who it is only where that matters: a probe must be answered while the database is away."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Leads to the sign-in page whoever must be signed in and is not."""
        if not getattr(view, "login_required", True):
            return None
        return super().process_view(request, view, args, kwargs)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, _view: Callable[..., Any]
    ) -> HttpResponseBase:
        """Leads to the sign-in page, or says that one is signed out where the page would be drawn in a part of another.

        What was sent is not sent again by itself: one comes back to the page that it was sent from.
        """
        is_page = request.method in {"GET", "HEAD"}
        following = request.get_full_path() if is_page else page_before(request) or "/"
        return part_error(request, SIGNED_OUT, 401) or redirect_to_login(following)


class RightsMiddleware(MiddlewareMixin):
    """Refuses every page to who may not even look, with a page that says whom to ask."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """Checks the right to look, where one must be signed in at all.

        Raises:
            PermissionDenied: the account has no role.
        """
        is_open = not getattr(view, "login_required", True) or getattr(view, "is_open_to_all", False)
        if not is_open and request.user.is_authenticated:
            caller_of(request).require(Right.VIEW)


class AdminRightMiddleware(MiddlewareMixin):
    """Refuses the admin site, the queue's dashboard in it too, to staff without the right to administer.

    Django lets in everybody who is staff; the rights are what the portal goes by. Writes down what is done to the queue
    there: that dashboard is another package's and calls no service of the portal.
    """

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """Checks the right of who is staff; Django sends everybody else to the admin site's own sign-in.

        Raises:
            PermissionDenied: staff that may not administer.
        """
        if not request.path_info.startswith(ADMIN_PATH) or not getattr(view, "login_required", True):
            return
        caller = caller_of(request)
        if not caller.is_person or not caller.user.is_staff:
            return
        caller.require(Right.ADMINISTER)
        if request.method == "POST" and _is_queue_page(request):
            audit.record(caller, "queue.change", target=request.path_info, detail=request.POST.get("action", ""))


def _is_queue_page(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and (match.app_name == "django_rq" or str(match.url_name).startswith("django_rq_"))


class AdminIdleMiddleware(MiddlewareMixin):
    """Asks who wants into the admin site and has not used it for VIZPORTAL_ADMIN_IDLE_MINUTES to sign in again.

    The rest of the portal stays open to them. Where nobody signs in here (`local`, `header`), there is nothing to ask.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Leads to the sign-in page, and from there back to where one was going."""
        is_admin = request.path_info.startswith(ADMIN_PATH) and getattr(view, "login_required", True)
        is_asked = settings.VIZPORTAL_AUTH in {"password", "oidc"} and request.user.is_authenticated
        if not is_admin or not is_asked:
            return None
        if sessions.admin_idle_s(request) <= settings.VIZPORTAL_ADMIN_IDLE_MINUTES * 60:
            sessions.admin_use_note(request)
            return None
        # What was sent is not sent again by itself.
        following = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': following, 'again': 1}, safe='/')}")
