"""Too many wrong passwords: nobody signs in under that name from that address for a while.

django-axes counts, in the database, so that all web processes know; what is told and written down is ours.
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
    """Writes lockouts into the audit log, once each. Every refused sign-in is there already."""
    # It would say each of them a second time, with the browser's own words.
    logging.getLogger("axes").setLevel(logging.ERROR)
    user_locked_out.connect(_locked, dispatch_uid="audit-locked")


def _locked(request: HttpRequest, username: str, **_signal: Any) -> None:
    # None: this one was not even counted, the lock was there before.
    if getattr(request, "axes_failures_since_start", None) is None:
        return
    limit, minutes = settings.VIZPORTAL_LOGIN_FAILURES, settings.VIZPORTAL_LOGIN_LOCKOUT_MINUTES
    detail = f"{limit} wrong passwords; locked for {minutes} minutes"
    caller = request_caller(request, None)
    audit.record(caller, "sign_in.lock", username=username or "", outcome="refused", detail=detail)


def locked_page(request: HttpRequest, _response: Any = None, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """Answers 429 with how long it lasts and what to do."""
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
    """Deletes what is kept of failed sign-ins that count no longer, or only counts it; returns how many.

    Raises:
        PermissionDenied: only `manage.py prune` may do this.
    """
    if not caller.is_trusted:
        raise PermissionDenied("Only `manage.py prune` deletes expired failed sign-ins.")
    over: QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    return over.count() if is_dry_run else over.delete()[0]
