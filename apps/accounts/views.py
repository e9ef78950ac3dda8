"""Signing in and out, in all configured modes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from apps.accounts import sessions
from apps.accounts.caller import caller_of
from apps.accounts.discovery import ProviderError, oidc_setting
from apps.accounts.first_account import FIRST_ACCOUNT, has_accounts


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> Any:
    """Shows how to sign in: a form, a link to the provider, or why the gateway's header is missing."""
    # Set after a redirect because the admin site was idle this long.
    idle_minutes = settings.VIZPORTAL_ADMIN_IDLE_MINUTES if "again" in request.GET else None
    if settings.VIZPORTAL_AUTH == "password":
        first_account = "" if has_accounts() else FIRST_ACCOUNT
        shown = {"idle_minutes": idle_minutes, "first_account": first_account}
        return auth_views.LoginView.as_view(extra_context=shown)(request)
    following = request.GET.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()})
    context = {
        "auth": settings.VIZPORTAL_AUTH,
        "next": following if is_safe else "",
        "issuer": settings.VIZPORTAL_OIDC_ISSUER,
        "header": settings.VIZPORTAL_AUTH_HEADER,
        "address": request.META.get("REMOTE_ADDR", ""),  # the peer: it is what must be trusted
        "has_failed": "failed" in request.GET,
        "idle_minutes": idle_minutes,
    }
    status = 403 if settings.VIZPORTAL_AUTH == "header" else 200
    return render(request, "registration/sign_in.html", context, status=status)


@method_decorator(login_not_required, name="dispatch")
class OidcStart(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends the browser to the provider."""

    get_settings = staticmethod(oidc_setting)

    def __init__(self, **options: Any) -> None:
        # The parent's constructor looks up the provider's address, where a failure could not be answered with a page.
        super(OIDCAuthenticationRequestView, self).__init__(**options)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirects to the provider, or reports that it does not answer."""
        _oidc_check()
        try:
            self.OIDC_OP_AUTH_ENDPOINT = oidc_setting("OIDC_OP_AUTHORIZATION_ENDPOINT")
        except ProviderError as error:
            return _provider_down(request, error)
        self.OIDC_RP_CLIENT_ID = oidc_setting("OIDC_RP_CLIENT_ID")
        answer: HttpResponse = super().get(request)
        return answer


@method_decorator(login_not_required, name="dispatch")
class OidcCallback(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Handles the browser's return from the provider."""

    get_settings = staticmethod(oidc_setting)

    @property
    def failure_url(self) -> str:
        """Where a failed sign-in leads: the page that offers another attempt."""
        return f"{reverse('login')}?failed=1"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Signs in, or reports that the provider does not answer."""
        _oidc_check()
        try:
            answer: HttpResponse = super().get(request)
        except ProviderError as error:
            return _provider_down(request, error)
        return answer


def _oidc_check() -> None:
    """Raises Http404 unless OpenID Connect is configured."""
    if settings.VIZPORTAL_AUTH != "oidc":
        raise Http404("OpenID Connect is not enabled here.")


def _provider_down(request: HttpRequest, error: ProviderError) -> HttpResponse:
    return render(request, "registration/sign_in.html", {"auth": "oidc", "error": str(error)}, status=503)


@login_not_required
@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    """Confirms the sign-out; offers a link instead of a redirect, which might sign in again at once."""
    return render(request, "registration/signed_out.html")


@require_safe
def signed_in(request: HttpRequest) -> HttpResponse:
    """Shown after signing in again in another tab: the original page is still open."""
    return render(request, "registration/signed_in.html")


@require_http_methods(["GET", "HEAD", "POST"])
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Shows the person's sessions; POST ends all but this one."""
    caller = caller_of(request)
    if request.method == "POST":
        sessions.sign_out_everywhere(caller, request.user, but=request.session.session_key)
        messages.success(request, "Signed out everywhere else.")
        return redirect("sign_ins")
    context = {"sign_ins": sessions.sign_ins(caller, request.session.session_key)}
    return render(request, "registration/sign_ins.html", context)
