"""Where a request came from, behind proxies or not."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest

# A person with IPv6 has all addresses of such a network.
_V6_NETWORK_BITS = 64


def is_trusted(address: str) -> bool:
    """Whether this is the address of a proxy that is believed: one of VIZPORTAL_TRUSTED_PROXIES."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(each, strict=False) for each in settings.VIZPORTAL_TRUSTED_PROXIES)


def client_address(meta: Mapping[str, object]) -> str:
    """Returns the client's address; "" without one, such as behind a Unix socket.

    Each proxy appends the address it was asked from to X-Forwarded-For, so the list is believed from its end, for as
    long as those who wrote it are trusted. What a browser wrote into the header itself stands before that.

    Args:
        meta: the request's META.
    """
    address = str(meta.get("REMOTE_ADDR") or "")
    told = str(meta.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    while told and is_trusted(address):
        said = _bare(told.pop())
        if not said:
            break
        address = said
    return address


def lockout_address(request: HttpRequest) -> str | None:
    """Returns what counts as one client where failures are counted; None for no address."""
    try:
        found = ipaddress.ip_address(client_address(request.META))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _V6_NETWORK_BITS), strict=False).network_address)
    return str(found)


def _bare(text: str) -> str:
    """Returns the address without the port some proxies add; "" for what is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
