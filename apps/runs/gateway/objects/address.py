"""Reads an artifact's URI once, strictly, so that every rule about it is about the same thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from apps.runs import exceptions

_CONTROLS = re.compile(r"[\x00-\x1f\x7f\\]")
_DOTS: Final = frozenset({".", ".."})
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Address:
    """Where an object is.

    Attributes:
        bucket: bucket, container or host; "" for a file of this machine.
        key: without a leading slash, just as written: object stores take no percent-encoding.
    """

    scheme: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def is_below(self, other: Address) -> bool:
        """Whether this is `other`, or something in it: by whole parts of the key."""
        if (self.scheme, self.bucket) != (other.scheme, other.bucket):
            return False
        above = other.key.strip("/")
        return not above or self.key == above or self.key.startswith(f"{above}/")


def parse(uri: str) -> Address:
    """Returns the address of a URI.

    Raises:
        EndpointError: no URI, or one with dot segments (encoded ones too), control characters, a backslash, or an
            account in it.
    """
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise exceptions.EndpointError(f"{uri[:200]!r} is not a URI.") from error
    key = parts.path.lstrip("/")
    if "@" in parts.netloc or _CONTROLS.search(uri) or _has_dots(key):
        raise exceptions.EndpointError(f"{uri[:200]!r} is not an address this portal reads.")
    scheme = parts.scheme.lower()
    if scheme in {"http", "https"} and parts.query:
        key = f"{key}?{parts.query}"
    return Address(scheme, (parts.hostname or "") + port if scheme in {"http", "https"} else parts.netloc, key)


def _has_dots(key: str) -> bool:
    for _ in range(_ROUNDS):
        if _DOTS & set(key.split("/")) or "\x00" in key:
            return True
        key = unquote(key)
    return False
