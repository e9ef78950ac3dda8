"""A person's sessions: where they are signed in, and how to end them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import accounts, audit
from apps.accounts.addresses import client_address
from apps.accounts.caller import Caller

# Session keys: when and from where the person signed in, and when they last used the admin site (Unix time).
_SIGN_IN: Final = "sign_in"
_ADMIN_AT: Final = "admin_at"
_NOTE_EVERY_S: Final = 60
_LONGEST_BROWSER: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A browser in which a person is signed in.

    Attributes:
        at: time of the sign-in; None for sessions older than this record.
        is_this: whether it is the requesting browser.
    """

    at: datetime | None
    ends_at: datetime
    address: str
    browser: str
    is_this: bool


def connect_signals() -> None:
    """Records in each new session when and from where it began."""
    user_logged_in.connect(_note, dispatch_uid="session-sign-in")


def _note(request: HttpRequest | None, **_signal: Any) -> None:
    if request is not None and hasattr(request, "session"):
        browser = str(request.META.get("HTTP_USER_AGENT", ""))[:_LONGEST_BROWSER]
        request.session[_SIGN_IN] = {"at": time.time(), "address": client_address(request.META), "browser": browser}
        request.session.pop(_ADMIN_AT, None)


def admin_idle_s(request: HttpRequest) -> float:
    """Returns the seconds since the sign-in or the last use of the admin site; infinite if unknown."""
    began = request.session.get(_SIGN_IN, {}).get("at", 0)
    last = max(began, request.session.get(_ADMIN_AT, 0))
    return time.time() - last if last else float("inf")


def admin_use_note(request: HttpRequest) -> None:
    """Records use of the admin site, at most once a minute, to limit writes."""
    if admin_idle_s(request) > _NOTE_EVERY_S:
        request.session[_ADMIN_AT] = time.time()


def _sessions_of(user_id: Any) -> Iterator[tuple[Session, dict[str, Any]]]:
    """Yields a person's unexpired sessions, with their decoded content.

    The user id is inside the signed data, so all sessions are decoded: about 7,000 per second, for a rare request.
    """
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content = session.get_decoded()
        if content.get(SESSION_KEY) == str(user_id):
            yield session, content


def sign_ins(caller: Caller, session_key: str | None) -> list[SignIn]:
    """Returns where the caller is signed in, latest expiry first.

    Args:
        session_key: key of the requesting browser's session.
    """
    if not caller.is_person:
        return []
    found = [
        SignIn(
            at=_moment(content.get(_SIGN_IN, {}).get("at")),
            ends_at=session.expire_date,
            address=content.get(_SIGN_IN, {}).get("address", ""),
            browser=content.get(_SIGN_IN, {}).get("browser", ""),
            is_this=session.session_key == session_key,
        )
        for session, content in _sessions_of(caller.user_id)
    ]
    return sorted(found, key=lambda each: each.ends_at, reverse=True)


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def sign_out_everywhere(caller: Caller, account: Any, *, but: str | None = None) -> int:
    """Ends a person's sessions; returns how many.

    Args:
        account: the caller's own account, or one that the caller may manage.
        but: key of a session to keep.

    Raises:
        PermissionDenied: the caller may not manage the account.
    """
    if caller.user_id != account.pk:
        accounts.manage_check(caller, account)
    keys = [session.session_key for session, _ in _sessions_of(account.pk) if session.session_key != but]
    count = Session.objects.filter(session_key__in=keys).delete()[0]
    detail = f"{count} sessions"
    audit.record(caller, "sign_out.everywhere", target=account.pk, target_name=str(account), detail=detail)
    return count


def sign_out_everybody(caller: Caller) -> int:
    """Ends the sessions of all people; returns how many.

    Raises:
        PermissionDenied: only `manage.py sign_out --everybody` may do this.
    """
    if not caller.is_trusted:
        raise PermissionDenied("Only `manage.py sign_out --everybody` signs everybody out.")
    count = Session.objects.all().delete()[0]
    audit.record(caller, "sign_out.everywhere", target_name="everybody", detail=f"{count} sessions")
    return count


def sessions_prune(caller: Caller, now: datetime, *, is_dry_run: bool) -> int:
    """Deletes expired sessions, or only counts them; returns how many.

    Raises:
        PermissionDenied: only `manage.py prune` may do this.
    """
    if not caller.is_trusted:
        raise PermissionDenied("Only `manage.py prune` deletes expired sessions.")
    over = Session.objects.filter(expire_date__lt=now)
    return over.count() if is_dry_run else over.delete()[0]
