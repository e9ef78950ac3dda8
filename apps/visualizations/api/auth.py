"""Authentication of API calls: a script's token, or a browser session on the portal's own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie

from apps.accounts import roles
from apps.accounts.caller import Caller, CallerKind, caller_set
from apps.accounts.rights import Right
from apps.visualizations.api.errors import ApiError
from apps.visualizations.services.tokens import token_user

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenAuth(HttpBearer):
    """A script's token: `Authorization: Bearer vzp_...`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Returns the token's user after setting the request's caller; None for an invalid token.

        Raises:
            ApiError: the user may not view anything.
        """
        user = token_user(token)
        if user is not None:
            _check_right(caller_set(request, user, CallerKind.TOKEN))
        return user


class BrowserAuth(APIKeyCookie):
    """A signed-in browser. Requests that change something must come from the portal's own pages, as JSON.

    Other sites cannot send JSON with the user's cookie: forms cannot produce that content type, and CORS forbids it.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ARG002
        """Returns the signed-in user; None without one, or if an Authorization header is present.

        Raises:
            ApiError: a changing request from another site or not as JSON, or the user may not view anything.
        """
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        if request.method not in _SAFE:
            _check_origin(request)
        _check_right(caller_set(request, request.user, CallerKind.API))
        return request.user


def _check_right(caller: Caller) -> None:
    if not caller.may(Right.VIEW):
        raise ApiError(403, "forbidden", roles.refusal(Right.VIEW))


def _check_origin(request: HttpRequest) -> None:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    is_own = origin is None or urlsplit(origin).netloc == request.get_host()
    if site not in {"same-origin", "none"} or not is_own:
        raise ApiError(403, "cross_site", "This request comes from another site. Use a token.")
    if request.method != "DELETE" and request.content_type != "application/json":
        raise ApiError(400, "not_json", "Send the body with Content-Type: application/json.")
