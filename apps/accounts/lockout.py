"""Lockout after too many wrong passwords, for a user name and address.

django-axes counts failures in the database, shared by all web processes; messages and audit entries are the portal's.
"""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller, request_caller


def connect_signals() -> None:
    """Records each lockout once in the audit log. Refused sign-ins are recorded there already."""
    # axes would log each of them again, including text sent by the browser.
    logging.getLogger("axes").setLevel(logging.ERROR)
    user_locked_out.connect(_locked, dispatch_uid="audit-locked")


def _locked(request: HttpRequest, username: str, **_signal: Any) -> None:
    # None: this attempt was not counted, because the lock already existed.
    if getattr(request, "axes_failures_since_start", None) is None:
        return
    limit, minutes = settings.VIZPORTAL_LOGIN_FAILURES, settings.VIZPORTAL_LOGIN_LOCKOUT_MINUTES
    detail = f"{limit} wrong passwords; locked for {minutes} minutes"
    caller = request_caller(request, None)
    audit.record(caller, "sign_in.lock", username=username or "", outcome="refused", detail=detail)


def locked_page(request: HttpRequest, _response: Any = None, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """Responds with 429, saying how long the lock lasts and what to do."""
    address = getattr(request, "axes_ip_address", None)
    username = (credentials or {}).get("username") or request.POST.get("username", "")
    latest = AccessAttempt.objects.filter(username=username, ip_address=address).aggregate(at=Max("attempt_time"))["at"]
    waited_s = (timezone.now() - (latest or timezone.now())).total_seconds()
    remaining_s = max(1, math.ceil(settings.AXES_COOLOFF_TIME.total_seconds() - waited_s))
    context = {"minutes": math.ceil(remaining_s / 60), "username": username}
    response = render(request, "registration/locked.html", context, status=429)
    response["Retry-After"] = str(remaining_s)
    return response


def attempts_prune(caller: Caller, now: datetime, *, is_dry_run: bool) -> int:
    """Deletes records of failed sign-ins that no longer count, or only counts them; returns how many.

    Raises:
        PermissionDenied: only `manage.py prune` may do this.
    """
    if not caller.is_trusted:
        raise PermissionDenied("Only `manage.py prune` deletes expired failed sign-ins.")
    over: QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    return over.count() if is_dry_run else over.delete()[0]
