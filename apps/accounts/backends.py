"""Accounts of people who sign in elsewhere: through a gateway's header, or with OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth.backends import RemoteUserBackend
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from apps.accounts import roles
from apps.accounts.discovery import oidc_setting

_LONGEST_USERNAME = 150


class HeaderBackend(RemoteUserBackend):
    """Creates an account for each user that the gateway names, with the role from its groups header."""

    def clean_username(self, username: str) -> str:
        """Returns the name without VIZPORTAL_AUTH_HEADER_PREFIX."""
        return username.removeprefix(settings.VIZPORTAL_AUTH_HEADER_PREFIX)[:_LONGEST_USERNAME]

    def configure_user(self, request: HttpRequest | None, user: Any, created: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Updates email and role from the gateway's headers."""
        if created and "@" in user.username:
            user.email = user.username
            user.save(update_fields=["email"])
        header = settings.VIZPORTAL_AUTH_GROUPS_HEADER
        if header and request is not None:
            listed = request.headers.get(header, "")
            _role_sync(user, [part.strip() for part in listed.split(",") if part.strip()])
        return user


class OidcBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Creates an account for each user whom the provider authenticates, with the role from its groups claim.

    Accounts are found by user name, which is the claim VIZPORTAL_OIDC_USERNAME_CLAIM. An email that the provider
    reports as unverified is refused, because anybody could claim it.
    """

    get_settings = staticmethod(oidc_setting)

    def verify_token(self, token: str, **options: Any) -> Any:
        """Returns the token's claims.

        Raises:
            SuspiciousOperation: the signature is wrong, or the token is from another provider or for another client.
        """
        claims = super().verify_token(token, **options)
        audience = claims.get("aud", [])
        meant = audience if isinstance(audience, list) else [audience]
        # The library checks signature, age and nonce, and leaves audience and issuer to its users.
        if self.OIDC_RP_CLIENT_ID not in meant or claims.get("iss") != oidc_setting("OIDC_OP_ISSUER"):
            raise SuspiciousOperation("The sign-in's token was made by another provider, or for another client.")
        return claims

    def retrieve_matching_jwk(self, token: str) -> Any:
        """Returns the provider's key for a token.

        A provider with a single key may omit its id (OpenID Connect Core 1.0, section 10.1), but the library requires
        one.

        Raises:
            SuspiciousOperation: the token has no key id, and the provider has several keys.
        """
        if "kid" in jwt.get_unverified_header(token):
            return super().retrieve_matching_jwk(token)
        answer = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=self.get_settings("OIDC_TIMEOUT", None))
        answer.raise_for_status()
        keys = answer.json().get("keys", [])
        if len(keys) != 1:
            raise SuspiciousOperation("The sign-in's token does not say which of the provider's keys signed it.")
        return jwt.PyJWK(keys[0], algorithm=self.OIDC_RP_SIGN_ALGO)

    def verify_claims(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claims identify a user."""
        is_email = settings.VIZPORTAL_OIDC_USERNAME_CLAIM == "email"
        return bool(self.get_username(claims)) and not (is_email and claims.get("email_verified") is False)

    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> Any:
        """Returns the accounts with the user name in the claims."""
        return self.UserModel.objects.filter(username=self.get_username(claims))

    def get_username(self, claims: Mapping[str, Any]) -> str:
        """Returns the account's user name; "" if the claim is missing."""
        return str(claims.get(settings.VIZPORTAL_OIDC_USERNAME_CLAIM) or "")[:_LONGEST_USERNAME]

    def create_user(self, claims: Mapping[str, Any]) -> Any:
        """Creates the account, without a password."""
        user = self.UserModel.objects.create_user(self.get_username(claims), email=str(claims.get("email") or ""))
        return self.update_user(user, claims)

    def update_user(self, user: Any, claims: Mapping[str, Any]) -> Any:
        """Updates name, email and role from the claims."""
        user.email = str(claims.get("email") or user.email)[:254]
        user.first_name = str(claims.get("given_name") or user.first_name)[:150]
        user.last_name = str(claims.get("family_name") or user.last_name)[:150]
        user.save(update_fields=["email", "first_name", "last_name"])
        claim = settings.VIZPORTAL_OIDC_GROUPS_CLAIM
        if claim and claim in claims:
            listed = claims[claim]
            _role_sync(user, [str(each) for each in (listed if isinstance(listed, list) else [listed])])
        return user


def _role_sync(user: Any, group_names: list[str]) -> None:
    # Without a mapping, groups are assigned in the admin site, and a sign-in must not remove them.
    if settings.VIZPORTAL_ROLE_GROUPS:
        roles.role_set(user, roles.role_for(group_names))
