"""Resolves a host that a person named to an address the portal may connect to: none on this machine or its networks."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Final

from apps.runs import exceptions

_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# getaddrinfo's errors for a name that does not exist or has no address.
_UNKNOWN_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
# RFC 6052: a translator takes the last four bytes for an IPv4 address.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def host_address(host: str, *, allow_private: bool) -> str:
    """Returns an address of a host to connect to. Checks all of its addresses, so that none can be swapped in later.

    Raises:
        NotFoundError: the name is unknown.
        EndpointDownError: the name server does not answer.
        ForbiddenError: one of them is on this machine or its networks.
    """
    try:
        found = {str(item[4][0]) for item in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except UnicodeError as error:
        raise exceptions.NotFoundError(f"{host} is not a host name.") from error
    except socket.gaierror as error:
        is_unknown = error.errno in _UNKNOWN_NAME
        kind = exceptions.NotFoundError if is_unknown else exceptions.EndpointDownError
        raise kind(f"The host name {host} {'is unknown' if is_unknown else 'cannot be looked up'}.") from error
    for each in found:
        if not all(_is_allowed(address, allow_private=allow_private) for address in _meanings(each)):
            raise exceptions.ForbiddenError(f"{host} is an address inside this network, which is not allowed.")
    return min(found)


def _meanings(text: str) -> Iterator[_IpAddress]:
    """Yields an address, and the IPv4 addresses that it represents in a translator or a tunnel."""
    address = ipaddress.ip_address(text.partition("%")[0])
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            embedded.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (each for each in embedded if each is not None)


def _is_allowed(address: _IpAddress, *, allow_private: bool) -> bool:
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return address.is_global or allow_private
