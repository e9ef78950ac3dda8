"""The address of an object: its only type, and its only parser, whose rules keep an address inside its prefix."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from apps.runs.exceptions import EndpointError

MAX_URI_CHARS: Final = 2048
_MOST_DECODINGS: Final = 3
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,19}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
# Also before `?` and `#`, which may end the path for another program.
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)\.\.?(?:[/?#]|$)")
_WEB: Final = frozenset({"http", "https"})


class AddressError(EndpointError):
    """A text is not the address of an object, or not one that may be read.

    Attributes:
        reason: what is wrong with it, phrased as the end of a sentence.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{uri[:200]!r} is not an address this portal reads.")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAddress:
    """The address of an object.

    Attributes:
        scheme: in lower case; "" for a text without one.
        host: the bucket or container, or a web host in lower case with its port; "" for a file on this machine.
        key: without a leading slash, as written, since object stores use no percent-encoding.
        query: the text after `?`. In a web address it is part of the address; elsewhere it holds options for Kubeflow's
            own client, which are ignored when the object is read.
    """

    scheme: str
    host: str
    key: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}/{self.key}"

    @property
    def uri(self) -> str:
        """The whole address, which `parse_address` can parse again."""
        return f"{self}?{self.query}" if self.query else str(self)

    @property
    def web_path(self) -> str:
        """Key and query as sent to a web server."""
        return f"{self.key}?{self.query}" if self.query else self.key

    @property
    def is_web(self) -> bool:
        """Whether it is read by HTTP from a host instead of from a store."""
        return self.scheme in _WEB

    @property
    def parts(self) -> tuple[str, ...]:
        """The components of the key, without empty ones."""
        return tuple(part for part in self.key.split("/") if part)

    def below(self, path: str) -> ObjectAddress:
        """Returns the address of a file in this folder.

        Args:
            path: relative to the folder, as a store lists it.

        Raises:
            AddressError: the path could lead elsewhere.
        """
        found = replace(self, key=f"{self.key.rstrip('/')}/{path}".lstrip("/"))
        _check(found.uri, found.key)
        return found

    def is_below(self, other: ObjectAddress) -> bool:
        """Whether this is `other` or something in it, comparing whole components of the key."""
        if (self.scheme, self.host) != (other.scheme, other.host):
            return False
        above = other.key.strip("/")
        return not above or self.key == above or self.key.startswith(f"{above}/")


def parse_address(uri: str, *, has_query: bool = True) -> ObjectAddress:
    """Parses a URI.

    The caller decides which schemes are allowed and whether a bucket is required: a text without a scheme gives an
    address without one.

    Args:
        uri: the text.
        has_query: whether `?` begins a query; if not, it belongs to the key, as in a pattern.

    Raises:
        AddressError: dot segments in any encoding, control characters, a backslash, an account, an invalid host or
            port, or too many characters.
    """
    _check(uri, "")
    scheme, mark, rest = uri.partition("://")
    scheme = scheme.lower()
    if not mark or not _SCHEME.fullmatch(scheme):
        scheme, rest = "", f"/{uri}"
    query = ""
    if has_query:
        # Only in a web address: in a store, `#` is a character of a key like any other.
        rest = rest.partition("#")[0] if scheme in _WEB else rest
        rest, _, query = rest.partition("?")
    host, _, key = rest.partition("/")
    key = key.lstrip("/")
    _check(uri, key)
    return ObjectAddress(scheme=scheme, host=_host(uri, scheme, host), key=key, query=query)


def decode(text: str, uri: str) -> str:
    """Removes percent-encoding until nothing changes, so that no encoding of a dot segment stays hidden.

    Args:
        text: to decode.
        uri: what to name in an error.

    Raises:
        AddressError: it is not UTF-8, or encoded more than three times.
    """
    try:
        text.encode()
        for _ in range(_MOST_DECODINGS + 1):
            decoded = unquote(text, errors="strict")
            if decoded == text:
                return decoded
            text = decoded
    except UnicodeError as error:
        raise AddressError(uri, "it is not UTF-8") from error
    raise AddressError(uri, "it is encoded more than three times")


def _check(uri: str, key: str) -> None:
    """Applies the rules to the URI as written and to its fully decoded key."""
    if len(uri) > MAX_URI_CHARS:
        raise AddressError(uri, f"it is longer than {MAX_URI_CHARS} characters")
    decoded = decode(key, uri)
    if any(ord(character) < 32 or ord(character) == 127 for character in uri + decoded):
        raise AddressError(uri, "it holds a control character")
    if "\\" in uri or "\\" in decoded:
        raise AddressError(uri, "it holds a backslash")
    if _DOT_SEGMENT.search(decoded):
        raise AddressError(uri, 'it holds "." or ".." as a segment')


def _host(uri: str, scheme: str, host: str) -> str:
    if scheme == "file" and host == "localhost":
        return ""
    name, has_port, port = host.partition(":")
    is_port = scheme in _WEB and _PORT.fullmatch(port) is not None and 0 < int(port) <= 65535
    is_name = _HOST.fullmatch(name) is not None and scheme != "file"
    if host and not (is_name and (is_port or not has_port)):
        raise AddressError(uri, "its host or bucket is not a plain name")
    return host.lower() if scheme in _WEB else host
