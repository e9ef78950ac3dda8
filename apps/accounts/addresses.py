"""Client addresses of requests, with or without proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest

# An IPv6 client typically has all addresses of a network of this size.
_V6_NETWORK_BITS = 64


def is_trusted(address: str) -> bool:
    """Whether this is the address of a trusted proxy, one in VIZPORTAL_TRUSTED_PROXIES."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(each, strict=False) for each in settings.VIZPORTAL_TRUSTED_PROXIES)


def client_address(meta: Mapping[str, object]) -> str:
    """Returns the client's address; "" if there is none, such as behind a Unix socket.

    Each proxy appends the address of its peer to X-Forwarded-For, so the list is read from its end, as long as the
    entries' writers are trusted. Entries that the browser sent come earlier in the list.

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
    """Returns the address by which failed sign-ins are counted; None if there is none."""
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
    """Returns the address without the port that some proxies add; "" if it is not an address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
