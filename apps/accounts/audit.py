"""The audit log: who did what, and when. Each entry is a row in the database and a line in the log."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.accounts.caller import Caller, CallerKind, request_caller
from apps.accounts.models import AuditEntry

logger = logging.getLogger("vizportal.audit")
_LONGEST: Final = 500
_LONGEST_DETAIL: Final = 4000
# Shown instead of a name for calls without an account.
_NAMELESS: Final = {
    CallerKind.KFP_PROTOCOL: "(Kubeflow service)",
    CallerKind.COMMAND: "(command)",
    CallerKind.SYSTEM: "(portal)",
}


def record(
    caller: Caller,
    action: str,
    *,
    username: str = "",
    target: Any = "",
    target_name: str = "",
    endpoint_key: str = "",
    namespace: str = "",
    outcome: str = "done",
    detail: str = "",
) -> AuditEntry:
    """Records one action.

    Args:
        caller: the actor, with address and endpoint.
        action: for example `run.terminate`.
        username: the name if there is no account, as in a failed sign-in; "" for the caller's.
        endpoint_key: "" for the caller's.
        namespace: "" for the caller's.
        outcome: "done" or "refused".
    """
    entry = AuditEntry.objects.create(
        user_id=caller.user_id,
        username=_actor(caller, username),
        action=action[:60],
        endpoint_key=(endpoint_key or caller.endpoint_key)[:100],
        namespace=(namespace or caller.namespace)[:100],
        target=_cut(str(target), _LONGEST),
        target_name=_cut(target_name, _LONGEST),
        outcome=outcome,
        detail=_cut(detail, _LONGEST_DETAIL),
        address=caller.address,
    )
    # %r: a name may contain line breaks, and each entry must be one line.
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


def _actor(caller: Caller, username: str) -> str:
    name = username or caller.username
    # A gateway's header, or a failed sign-in, can contain one of these names.
    shown = f'"{name}"' if name in _NAMELESS.values() else name or _NAMELESS.get(caller.kind, "")
    return _cut(shown, 254)


def entries_prune(caller: Caller, before: datetime, *, is_dry_run: bool) -> int:
    """Deletes the entries written before a time, or only counts them; returns how many.

    Raises:
        PermissionDenied: only `manage.py prune` may do this.
    """
    if not caller.is_trusted:
        raise PermissionDenied("Only `manage.py prune` deletes audit entries.")
    old = AuditEntry.objects.filter(at__lt=before)
    return old.count() if is_dry_run else old.delete()[0]


def _cut(text: str, longest: int) -> str:
    # PostgreSQL rejects NUL in texts.
    return text.replace("\x00", "")[:longest]


def connect_signals() -> None:
    """Records sign-ins, sign-outs and refused sign-ins."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    user_login_failed.connect(_refused, dispatch_uid="audit-refused")


def _signed_in(request: HttpRequest | None, user: Any, **_signal: Any) -> None:
    record(_signing(request, user), "sign_in")


def _signed_out(request: HttpRequest | None, user: Any, **_signal: Any) -> None:
    if user is not None:
        record(_signing(request, user), "sign_out")


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    username = str(credentials.get("username", ""))
    record(_signing(request, None), "sign_in", username=username, outcome="refused")


def _signing(request: HttpRequest | None, user: Any) -> Caller:
    """Returns the caller of a sign-in; without a request, a command such as a shell or test signs in."""
    return Caller(kind=CallerKind.PAGE, user=user) if request is None else request_caller(request, user)
