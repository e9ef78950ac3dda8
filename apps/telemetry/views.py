"""`/metrics`: who may read it, and the answer."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from apps.telemetry import exposition

_PROXY_HEADERS = ("X-Forwarded-", "Forwarded", "Via", "X-Real-Ip")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answers with all metrics within two seconds; those of a part that does not answer are missing.

    Raises:
        Http404: no token is configured, and the request comes from another machine.
    """
    if may_read(request):
        body, content_type = exposition.encode(exposition.parts_read(), request.headers.get("Accept", ""))
        return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})
    if not settings.VIZPORTAL_METRICS_TOKEN:
        raise Http404
    message = "Send Authorization: Bearer <VIZPORTAL_METRICS_TOKEN>.\n"
    return HttpResponse(message, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})


def may_read(request: HttpRequest) -> bool:
    """Whether the request has the token; where none is configured, whether it comes from this machine.

    Raises:
        DisallowedHost: no token is configured, and the host name is not this portal's.
    """
    return has_token(request) or (_is_local(request) and bool(request.get_host()))


def has_token(request: HttpRequest) -> bool:
    """Whether a token is configured and the request carries it."""
    expected, sent = settings.VIZPORTAL_METRICS_TOKEN, request.headers.get("Authorization", "")
    return bool(expected) and constant_time_compare(sent, f"Bearer {expected}")


def _is_local(request: HttpRequest) -> bool:
    """Whether no token is configured and the client is on this machine, and is no proxy that forwards for others."""
    # Behind HTTPS a proxy must send X-Forwarded-Proto, or no page would open: none is taken for a local client.
    is_forwarded = any(name.startswith(_PROXY_HEADERS) for name in request.headers)
    if settings.VIZPORTAL_METRICS_TOKEN or is_forwarded:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
