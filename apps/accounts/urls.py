"""URLs for signing in and out."""

from __future__ import annotations

from django.contrib.auth import views as auth_views
from django.urls import path

from apps.accounts import views

_logout = auth_views.LogoutView.as_view()
# People without a role may still sign out.
_logout.is_open_to_all = True  # type: ignore[attr-defined]
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", _logout, name="logout"),
    path("signed-out/", views.signed_out, name="signed_out"),
    path("signed-in/", views.signed_in, name="signed_in"),
    path("account/sign-ins/", views.sign_ins, name="sign_ins"),
    path("oidc/start/", views.OidcStart.as_view(), name="oidc_authentication_init"),
    path("oidc/callback/", views.OidcCallback.as_view(), name="oidc_authentication_callback"),
]
