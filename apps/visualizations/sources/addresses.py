"""Source URIs: parsed once into their parts, refused unless a canonical prefix allows them."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from apps.visualizations.exceptions import SourceError
from apps.visualizations.states import Reason

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,19}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?", re.ASCII)
_WEB_HOST = re.compile(rf"{_HOST.pattern}(?::[0-9]{{1,5}})?", re.ASCII)
_SCHEMES = frozenset({"file", "s3", "gs", "minio", "abfs", "abfss", "az", "https"})
_GLOB = frozenset("*?[")
MAX_URI_CHARS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A source's address in canonical form.

    Attributes:
        host: the bucket or container, a web host with its port; "" for a file.
        parts: the key's segments, decoded; none is empty, "." or "..".
        is_glob: whether a segment holds `*`, `?` or `[`.
    """

    scheme: str
    host: str
    parts: tuple[str, ...]
    is_glob: bool

    @property
    def uri(self) -> str:
        """The canonical spelling."""
        parts = map(quote, self.parts) if self.scheme == "https" else self.parts
        return f"{self.scheme}://{self.host}/{'/'.join(parts)}"

    @property
    def base(self) -> tuple[str, ...]:
        """The segments before the first that is a pattern."""
        return tuple(itertools.takewhile(lambda part: not _GLOB & set(part), self.parts))

    @property
    def pattern(self) -> tuple[str, ...]:
        """The rest of them; empty where it names one file or folder."""
        return self.parts[len(self.base) :]

    def at(self, parts: Iterable[str]) -> Address:
        """Returns the address of something else in the same place."""
        return Address(scheme=self.scheme, host=self.host, parts=tuple(parts), is_glob=False)


def pattern_fits(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether a path fits a pattern, segment by segment: `*` never stands for a slash."""
    return len(pattern) == len(parts) and all(map(fnmatch.fnmatchcase, parts, pattern))


def _refused(reason: str) -> SourceError:
    return SourceError(f"This source is refused: {reason}.", code=Reason.SOURCE_REFUSED)


def _decode(text: str) -> str:
    """Undoes percent-encoding until nothing changes, so that no spelling of a dot segment stays hidden."""
    for _ in range(4):
        decoded = unquote(text, errors="strict")
        if decoded == text:
            return decoded
        text = decoded
    raise _refused("it is encoded more than three times")


def _check_characters(uri: str) -> None:
    if len(uri) > MAX_URI_CHARS:
        raise _refused(f"it is longer than {MAX_URI_CHARS} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in uri):
        raise _refused("it holds a control character")
    if "\\" in uri:
        raise _refused("it holds a backslash")


def _segments(key: str) -> tuple[str, ...]:
    parts = tuple(part for part in key.split("/") if part)
    if any(part in {".", ".."} for part in parts):
        raise _refused('it holds "." or ".." as a segment')
    if any("**" in part for part in parts):
        raise _refused('"**" is not allowed, name the folder')
    return parts


def address_parse(uri: str) -> Address:
    """Parses `scheme://host/key`, or an absolute path, which means `file:///path`.

    Raises:
        SourceError: `source_refused`: dot segments in any spelling, user names, control characters, `**`, a scheme
            that is not read here, or no address at all.
    """
    uri = uri.strip(" ")
    _check_characters(uri)
    try:
        decoded = _decode(uri)
    except UnicodeDecodeError as error:
        raise _refused("it is not UTF-8") from error
    _check_characters(decoded)
    if decoded.startswith("/"):
        decoded = f"file://{decoded}"
    scheme, mark, rest = decoded.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme.lower()):
        raise _refused("it is neither scheme://host/key nor an absolute path")
    return _address(scheme.lower(), rest)


def _address(scheme: str, rest: str) -> Address:
    if scheme not in _SCHEMES:
        raise _refused(f"{scheme}:// is not read here ({', '.join(sorted(_SCHEMES))} are)")
    host, _, key = rest.partition("/")
    known = _WEB_HOST if scheme == "https" else _HOST
    if scheme == "file" and host in {"", "localhost"}:
        host = ""
    elif scheme == "file" or not known.fullmatch(host):
        raise _refused("its host or bucket is not a plain name")
    parts = _segments(key)
    is_glob = any(_GLOB & set(part) for part in parts)
    if scheme == "https" and (is_glob or "#" in key):
        raise _refused("a web address may hold neither a pattern nor a query")
    host = host.lower() if scheme == "https" else host
    return Address(scheme=scheme, host=host, parts=parts, is_glob=is_glob)


def address_allow(address: Address, prefixes: Iterable[str]) -> Address:
    """Returns the prefix that covers the address, segment by segment (so `/data` does not cover `/database`).

    Raises:
        SourceError: `source_refused`: none does.
    """
    for text in prefixes:
        prefix = address_parse(text)
        same_place = (prefix.scheme, prefix.host) == (address.scheme, address.host)
        if same_place and address.parts[: len(prefix.parts)] == prefix.parts:
            return prefix
    raise SourceError(
        f"This portal may not read {address.uri}: it is no artifact of this step, and VIZPORTAL_SOURCE_ALLOW "
        "does not cover it.",
        code=Reason.SOURCE_REFUSED,
    )
