"""Creates, renews and revokes links, and records their uses."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.reports.models import Report
from apps.reports.selectors import report_get
from apps.sharing import selectors
from apps.sharing.models import Share
from apps.sharing.selectors import Target
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError
from apps.visualizations.models import Render, token_digest
from apps.visualizations.selectors import render_get, visualization_get
from apps.visualizations.services.rights import namespace_check, right_check

DEFAULT_DAYS: Final = 30
MOST_OPEN: Final = 200
"""Maximum number of open links per creator."""
MOST_ORIGINS: Final = 10
_TOKEN_BYTES: Final = 32
# Accepts only valid origins for a content security policy, without characters that could end the directive.
_ORIGIN: Final = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[1-9][0-9]{0,4})?", re.ASCII)
# One visitor's visits within an hour are one audit entry, and a link has at most this many entries a day.
_VISIT_S: Final = 3600
_DAY_S: Final = 24 * 3600
_MOST_ENTRIES: Final = 200


def share_create(
    caller: Caller, target: Target, *, now: datetime, days: int | None = None, origins: Iterable[str] = ()
) -> tuple[Share, str]:
    """Creates a link to something that the caller may read.

    Args:
        days: duration; None for the default.
        origins: origins of pages that may frame it, such as `https://wiki.example.com`.

    Returns:
        The link, and its token, which is stored nowhere.

    Raises:
        NotAllowedError: the caller is not a person, or may not create.
        NotFoundError: the caller may not read the target.
        InvalidRequestError: the duration or an origin is invalid, or there are too many links.
    """
    right_check(caller, Right.CREATE)
    if not caller.is_person:
        raise NotAllowedError("Only a person can make a link: it ends when they may no longer read what it shows.")
    _read_check(caller, target)
    if selectors.shares_visible(caller).filter(
        created_by=caller.user_id, revoked_at=None, expires_at__gt=now
    ).count() >= (MOST_OPEN):
        raise InvalidRequestError(f"You already have {MOST_OPEN} links, the limit for one person. Revoke one first.")
    token = _token_new()
    share = Share(
        **{_field_of(target): target},
        created_by=caller.owner,
        created_at=now,
        expires_at=now + timedelta(days=days_clean(days)),
        origins="\n".join(origins_clean(origins)),
        digest=token_digest(token),
        prefix=token[:6],
    )
    with transaction.atomic():
        share.save(force_insert=True)
        _record(caller, "share.create", share, detail=f"until {share.expires_at:%Y-%m-%d %H:%M} UTC")
    return share, token


def share_renew(caller: Caller, share: Share, *, now: datetime) -> str:
    """Replaces a link's token and returns the new one; the old address stops working.

    Raises:
        NotAllowedError: the link is somebody else's, or the caller may not create.
        InvalidRequestError: the link has expired or was revoked.
    """
    right_check(caller, Right.CREATE)
    if not caller.is_person or share.created_by_id != caller.user_id:
        raise NotAllowedError("Only its owner can get a new address for a link.")
    if not share.is_open_at(now):
        raise InvalidRequestError("This link has ended. Make a new one.")
    token = _token_new()
    with transaction.atomic():
        share.digest, share.prefix = token_digest(token), token[:6]
        share.save(update_fields=["digest", "prefix"])
        _record(caller, "share.renew", share)
    return token


def share_revoke(caller: Caller, share: Share, *, now: datetime) -> None:
    """Revokes a link at once; a revoked link stays revoked.

    Raises:
        NotAllowedError: the caller is neither its creator nor an administrator.
    """
    if not caller.may(Right.ADMINISTER) and not (caller.is_person and share.created_by_id == caller.user_id):
        raise NotAllowedError("Only its owner or an administrator can revoke a link.")
    with transaction.atomic():
        if Share.objects.filter(id=share.id, revoked_at=None).update(revoked_at=now):
            _record(caller, "share.revoke", share)
    share.refresh_from_db()


def share_use_note(caller: Caller, share: Share, *, now: datetime) -> None:
    """Counts a visit of a link's page, and records it in the audit log at most once an hour per visitor."""
    Share.objects.filter(id=share.id).update(uses=F("uses") + 1, last_used_at=now)
    who = caller.user_id or caller.address
    entries = f"share-entries:{share.id}"
    if not cache.add(f"share-visit:{share.id}:{who}", 1, _VISIT_S):
        return
    cache.add(entries, 0, _DAY_S)
    if cache.incr(entries) <= _MOST_ENTRIES:
        _record(caller, "share.use", share)


def days_clean(days: int | None) -> int:
    """Returns the duration of a link in days; None means the default.

    Raises:
        InvalidRequestError: fewer days than one, or more than the server allows.
    """
    most = settings.VIZPORTAL_SHARE_MAX_DAYS
    wanted = min(DEFAULT_DAYS, most) if days is None else days
    if not 1 <= wanted <= most:
        message = f"A link lasts 1 to {most} days."
        raise InvalidRequestError.at("days", message)
    return wanted


def origins_clean(origins: Iterable[str]) -> list[str]:
    """Returns origins in their stored form: lower case, without duplicates.

    Raises:
        InvalidRequestError: one is not an origin, or there are too many.
    """
    clean = list(dict.fromkeys(each.strip().rstrip("/").lower() for each in origins if each.strip()))
    wrong = next((each for each in clean if not _ORIGIN.fullmatch(each)), None)
    if wrong is not None:
        message = f"{wrong[:80]!r} is not an origin. Write one as https://wiki.example.com, without a path."
        raise InvalidRequestError.at("origins", message)
    if len(clean) > MOST_ORIGINS:
        message = f"At most {MOST_ORIGINS} origins."
        raise InvalidRequestError.at("origins", message)
    return clean


def _token_new() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _field_of(target: Target) -> str:
    if isinstance(target, Report):
        return "report"
    return "render" if isinstance(target, Render) else "visualization"


def _read_check(caller: Caller, target: Target) -> None:
    """Requires that the caller may read the target now, even if it is their own."""
    if isinstance(target, Report):
        place = report_get(caller, target.id)
        namespace_check(caller, place.endpoint_key, place.namespace)
        return
    found = (
        render_get(caller, target.id).visualization
        if isinstance(target, Render)
        else visualization_get(caller, target.id)
    )
    namespace_check(caller, found.endpoint_key, found.namespace)


def _record(caller: Caller, action: str, share: Share, *, detail: str = "") -> None:
    place = share.report or (share.render.visualization if share.render is not None else share.visualization)
    audit.record(
        caller,
        action,
        target=share.id,
        target_name=share.title,
        endpoint_key=place.endpoint_key if place else "",
        namespace=place.namespace if place else "",
        detail=detail,
    )
