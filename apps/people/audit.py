"""The audit log: who did what, and when. A row in the database, and a line in the log."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from apps.people.addresses import client_address
from apps.people.models import AuditEntry

logger = logging.getLogger("vizportal.audit")
_LONGEST: Final = 500
_LONGEST_DETAIL: Final = 4000


def record(
    action: str,
    *,
    user: Any = None,
    request: HttpRequest | None = None,
    username: str = "",
    target: Any = "",
    target_name: str = "",
    endpoint_key: str = "",
    namespace: str = "",
    outcome: str = "done",
    detail: str = "",
) -> AuditEntry:
    """Writes down one thing somebody did.

    Args:
        action: such as `run.terminate`.
        user: by default the request's.
        request: where it came by a page or the API; says from where, and which endpoint it was about.
        username: where there is no account, such as a failed sign-in.
        outcome: "done" or "refused".
    """
    who = user if user is not None else getattr(request, "user", None)
    is_known = bool(getattr(who, "is_authenticated", False))
    entry = AuditEntry.objects.create(
        user_id=who.pk if is_known and who is not None else None,
        username=_cut(username or (who.get_username() if is_known and who is not None else ""), 254),
        action=action[:60],
        endpoint_key=(endpoint_key or getattr(request, "endpoint_key", ""))[:100],
        namespace=(namespace or getattr(request, "kubeflow_namespace", ""))[:100],
        target=_cut(str(target), _LONGEST),
        target_name=_cut(target_name, _LONGEST),
        outcome=outcome,
        detail=_cut(detail, _LONGEST_DETAIL),
        address=client_address(request.META)[:64] if request is not None else "",
    )
    # %r: a name may hold line breaks, and one entry is one line.
    logger.info(
        "%s %r %s %r %r from %s %r",
        entry.outcome,
        entry.username,
        entry.action,
        entry.target,
        entry.target_name,
        entry.address or "-",
        entry.detail,
    )
    return entry


def entries_prune(before: datetime, *, is_dry_run: bool) -> int:
    """Deletes the entries written before a moment, or only counts them; returns how many."""
    old = AuditEntry.objects.filter(at__lt=before)
    return old.count() if is_dry_run else old.delete()[0]


def _cut(text: str, longest: int) -> str:
    # PostgreSQL takes no NUL in a text.
    return text.replace("\x00", "")[:longest]


def connect_signals() -> None:
    """Writes down sign-ins, sign-outs and refused sign-ins."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    user_login_failed.connect(_refused, dispatch_uid="audit-refused")


def _signed_in(request: HttpRequest | None, user: Any, **_signal: Any) -> None:
    record("sign_in", request=request, user=user)


def _signed_out(request: HttpRequest | None, user: Any, **_signal: Any) -> None:
    if user is not None:
        record("sign_out", request=request, user=user)


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    record("sign_in", request=request, username=str(credentials.get("username", "")), outcome="refused")
