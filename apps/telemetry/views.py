"""The view of `/metrics`, and who may read it."""

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
    """Returns all metrics within two seconds, without those of parts that do not answer.

    Raises:
        Http404: no token is configured, and the request does not come from this machine directly.
    """
    if may_read(request):
        body, content_type = exposition.encode(exposition.parts_read(), request.headers.get("Accept", ""))
        return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})
    if not settings.VIZPORTAL_METRICS_TOKEN:
        raise Http404
    message = "Send Authorization: Bearer <VIZPORTAL_METRICS_TOKEN>.\n"
    return HttpResponse(message, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})


def may_read(request: HttpRequest) -> bool:
    """Whether the request has the token or, if none is configured, comes from this machine.

    Raises:
        DisallowedHost: no token is configured, and the host name is not the portal's.
    """
    return has_token(request) or (_is_local(request) and bool(request.get_host()))


def has_token(request: HttpRequest) -> bool:
    """Whether a token is configured and the request has it."""
    expected, sent = settings.VIZPORTAL_METRICS_TOKEN, request.headers.get("Authorization", "")
    return bool(expected) and constant_time_compare(sent, f"Bearer {expected}")


def _is_local(request: HttpRequest) -> bool:
    """Whether no token is configured and the client is on this machine, without a proxy in between."""
    # Behind HTTPS a proxy has to send X-Forwarded-Proto for pages to work, so proxies are not taken for local clients.
    is_forwarded = any(name.startswith(_PROXY_HEADERS) for name in request.headers)
    if settings.VIZPORTAL_METRICS_TOKEN or is_forwarded:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
