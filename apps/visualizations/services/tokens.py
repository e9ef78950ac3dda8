"""Tokens of scripts: made once, shown once, looked up by digest."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from apps.visualizations.models import ApiToken, token_digest

_PREFIX = "vzp_"
_NOTE_USE_EVERY = timedelta(minutes=1)


def token_create(user: Any, name: str, *, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Makes a token.

    Args:
        expires_at: None for one that does not run out.

    Returns:
        The row, and the token itself, which is nowhere else.
    """
    token = ApiToken(user=user, name=name, expires_at=expires_at)
    return token, token_issue(token)


def token_issue(token: ApiToken) -> str:
    """Gives an unsaved row its secret, saves it, and returns the secret, which is nowhere else."""
    raw = _PREFIX + secrets.token_urlsafe(32)
    token.prefix, token.digest = raw[:8], token_digest(raw)
    token.save(force_insert=True)
    return raw


def token_user(raw: str) -> Any:
    """Returns the active user a token stands for; None for an unknown or expired one."""
    now = timezone.now()
    valid = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=token_digest(raw))
    token = valid.filter(user__is_active=True).select_related("user").first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > _NOTE_USE_EVERY:
        ApiToken.objects.filter(id=token.id).update(last_used_at=now)
    return token.user
