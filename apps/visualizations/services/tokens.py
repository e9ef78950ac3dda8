"""API tokens: generated and shown once, looked up by digest."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.exceptions import NotAllowedError
from apps.visualizations.models import ApiToken, token_digest

_PREFIX = "vzp_"
_NOTE_USE_EVERY = timedelta(minutes=1)


def token_create(caller: Caller, token: ApiToken) -> str:
    """Generates a token's secret, saves the row, and returns the secret, which is stored nowhere.

    Args:
        token: an unsaved row with name, expiry, and the user whose permissions it carries: the caller, unless a command
            calls.

    Raises:
        NotAllowedError: the token would belong to somebody else.
    """
    if not caller.is_trusted and (not caller.is_person or token.user_id != caller.user_id):
        raise NotAllowedError("A token acts as its user: make one for yourself only.")
    raw = _PREFIX + secrets.token_urlsafe(32)
    token.prefix, token.digest = raw[:8], token_digest(raw)
    with transaction.atomic():
        token.save(force_insert=True)
        audit.record(caller, "token.create", target=token.pk, target_name=token.name, detail=f"for {token.user}")
    return raw


def token_revoke(caller: Caller, token: ApiToken) -> None:
    """Deletes a token: users revoke their own, administrators anybody's.

    Raises:
        NotAllowedError: the token is somebody else's, and the caller is no administrator.
    """
    if not caller.may(Right.ADMINISTER) and (not caller.is_person or token.user_id != caller.user_id):
        raise NotAllowedError("Only its user or an administrator may revoke a token.")
    with transaction.atomic():
        audit.record(caller, "token.revoke", target=token.pk, target_name=token.name, detail=f"of {token.user}")
        token.delete()


def token_user(raw: str) -> Any:
    """Returns the active user of a token; None if the token is unknown or expired.

    Takes no caller: this lookup is what identifies the caller.
    """
    now = timezone.now()
    valid = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=token_digest(raw))
    token = valid.filter(user__is_active=True).select_related("user").first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > _NOTE_USE_EVERY:
        ApiToken.objects.filter(id=token.id).update(last_used_at=now)
    return token.user
