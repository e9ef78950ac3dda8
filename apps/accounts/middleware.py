"""Identifies users who do not sign in by form: a machine's single user, or the user in a trusted gateway's header.

Also requires the permission to view, and a fresh sign-in for the admin site.
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
    """Makes every request the local user's with VIZPORTAL_AUTH=local.

    In this mode `up` binds only to loopback, and ALLOWED_HOSTS rejects other host names (DNS rebinding).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Sets the local user lazily, so that requests without need of it make no query."""
        if settings.VIZPORTAL_AUTH == "local":
            request.user = SimpleLazyObject(local_user_get)  # type: ignore[assignment]
        return self.get_response(request)


class TrustedHeaderMiddleware(RemoteUserMiddleware):
    """Takes the user from the gateway's header VIZPORTAL_AUTH_HEADER, with VIZPORTAL_AUTH=header.

    Only peers in VIZPORTAL_TRUSTED_PROXIES are trusted. From any other peer the header is removed, in every mode, so
    that no later code can trust what a browser sent.
    """

    header = _TOLD
    async_capable = False  # type: ignore[assignment]

    def process_request(self, request: HttpRequest) -> None:
        """Signs in the user named by the gateway, and signs out a user no longer named."""
        _take_header(request)
        if settings.VIZPORTAL_AUTH == "header":
            super().process_request(request)


def _take_header(request: HttpRequest) -> None:
    """Moves a trusted gateway's header to where Django's middleware reads it; drops it from any other peer."""
    meta = "HTTP_" + settings.VIZPORTAL_AUTH_HEADER.upper().replace("-", "_")
    told = str(request.META.pop(meta, ""))
    for name in (_TOLD, USER_HEADER_META):
        request.META.pop(name, None)
    is_meant = settings.VIZPORTAL_AUTH == "header" and is_trusted(str(request.META.get("REMOTE_ADDR", "")))
    if told and is_meant:
        request.META |= {_TOLD: told, USER_HEADER_META: told}


class SignInMiddleware(LoginRequiredMiddleware):
    """Loads the user only for views that require a sign-in: probes must be answered while the database is away."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Redirects unauthenticated requests to the sign-in page if the view requires a sign-in."""
        if not getattr(view, "login_required", True):
            return None
        return super().process_view(request, view, args, kwargs)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, _view: Callable[..., Any]
    ) -> HttpResponseBase:
        """Redirects to the sign-in page; a request for part of a page gets a notice instead.

        A submitted form is not repeated: after signing in, the user returns to the page that contained it.
        """
        is_page = request.method in {"GET", "HEAD"}
        following = request.get_full_path() if is_page else page_before(request) or "/"
        return part_error(request, SIGNED_OUT, 401) or redirect_to_login(following)


class RightsMiddleware(MiddlewareMixin):
    """Requires the permission to view on every page, and otherwise shows whom to ask."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """Checks the permission to view, on views that require a sign-in.

        Raises:
            PermissionDenied: the account may not view anything.
        """
        is_open = not getattr(view, "login_required", True) or getattr(view, "is_open_to_all", False)
        if not is_open and request.user.is_authenticated:
            caller_of(request).require(Right.VIEW)


class AdminRightMiddleware(MiddlewareMixin):
    """Requires the permission to administer for the admin site, including the queue dashboard.

    Django admits all staff, but the portal relies on permissions. Also records actions in the queue dashboard, which
    belongs to another package and calls no service of the portal.
    """

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """Checks the permission of staff; Django redirects everybody else to the admin site's sign-in.

        Raises:
            PermissionDenied: the staff account may not administer.
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
    """Requires a new sign-in for the admin site after VIZPORTAL_ADMIN_IDLE_MINUTES without use of it.

    The rest of the portal stays accessible. Modes without a sign-in here (`local`, `header`) are exempt.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Redirects to the sign-in page, which leads back to the requested page."""
        is_admin = request.path_info.startswith(ADMIN_PATH) and getattr(view, "login_required", True)
        is_asked = settings.VIZPORTAL_AUTH in {"password", "oidc"} and request.user.is_authenticated
        if not is_admin or not is_asked:
            return None
        if sessions.admin_idle_s(request) <= settings.VIZPORTAL_ADMIN_IDLE_MINUTES * 60:
            sessions.admin_use_note(request)
            return None
        # A submitted form is not repeated.
        following = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': following, 'again': 1}, safe='/')}")
