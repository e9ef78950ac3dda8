"""Discovers an OpenID Connect provider's endpoints from the document below its issuer's address."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import requests
from django.conf import settings
from mozilla_django_oidc.utils import import_from_settings

# OpenID Connect Discovery 1.0, section 3.
_DOCUMENT: Final = "/.well-known/openid-configuration"
_NAMES: Final = {
    "OIDC_OP_ISSUER": "issuer",
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}
_KEEP_S: Final = 3600
_TIMEOUT_S: Final = 5
_lock = threading.Lock()
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


class ProviderError(Exception):
    """The provider does not answer, or violates the standard; the message is meant for users."""


def oidc_setting(name: str, *default: Any) -> Any:
    """Returns a setting of mozilla-django-oidc; endpoints come from the provider's description.

    Raises:
        ProviderError: the description cannot be read.
    """
    if name in _NAMES:
        return provider()[_NAMES[name]]
    return import_from_settings(name, *default)


def provider() -> dict[str, Any]:
    """Returns the provider's description, cached for an hour.

    Raises:
        ProviderError: the description cannot be read.
    """
    issuer = settings.VIZPORTAL_OIDC_ISSUER
    with _lock:
        until, found = _kept.get(issuer, (0.0, {}))
        if time.monotonic() > until:
            found = _read(issuer)
            _kept[issuer] = (time.monotonic() + _KEEP_S, found)
        return found


def _read(issuer: str) -> dict[str, Any]:
    try:
        answer = requests.get(issuer.rstrip("/") + _DOCUMENT, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        found = answer.json()
        missing = [name for name in _NAMES.values() if not isinstance(found.get(name), str)]
    except (requests.RequestException, ValueError, AttributeError) as error:
        raise ProviderError(f"The sign-in service at {issuer} does not answer as expected. Try again later.") from error
    if missing or found["issuer"].rstrip("/") != issuer.rstrip("/"):
        raise ProviderError(
            f"The sign-in service at {issuer} returns an invalid description: check VIZPORTAL_OIDC_ISSUER."
        )
    return dict(found)
