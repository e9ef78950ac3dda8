"""`/metrics`, for Prometheus: who may read it, and what it holds."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from apps.observing.exposition import encode
from vizportal.observability import families

_OF_PROXIES = ("X-Forwarded-", "Forwarded", "Via", "X-Real-Ip")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answers with all there is to measure; without the parts that do not answer, and within two seconds.

    Raises:
        Http404: no token is configured, and it is not this machine that asks.
    """
    if settings.VIZPORTAL_METRICS_TOKEN and not has_token(request):
        message = "Send Authorization: Bearer <VIZPORTAL_METRICS_TOKEN>.\n"
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(message, status=401, content_type="text/plain", headers=headers)
    if not settings.VIZPORTAL_METRICS_TOKEN and not is_open_to(request):
        raise Http404
    body, content_type = encode(families.collect(), request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def has_token(request: HttpRequest) -> bool:
    """Whether a token is configured and the request brings it."""
    wanted, given = settings.VIZPORTAL_METRICS_TOKEN, request.headers.get("Authorization", "")
    return bool(wanted) and constant_time_compare(given, f"Bearer {wanted}")


def is_open_to(request: HttpRequest) -> bool:
    """Whether no token is configured and the other end is on this machine, and no proxy that speaks for others."""
    # Behind HTTPS a proxy must say X-Forwarded-Proto, or no page would open: none is taken for this machine.
    is_forwarded = any(name.startswith(_OF_PROXIES) for name in request.headers)
    if settings.VIZPORTAL_METRICS_TOKEN or is_forwarded:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
