"""Sources that people may name: the rules for addresses, patterns, and VIZPORTAL_SOURCE_ALLOW."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from apps.runs.gateway.objects.address import AddressError, ObjectAddress, decode, parse_address
from apps.visualizations.exceptions import SourceError
from apps.visualizations.states import Reason

_SCHEMES: Final = frozenset({"file", "s3", "gs", "minio", "abfs", "abfss", "az", "https"})
_GLOB: Final = frozenset("*?[")


def address_parse(text: str) -> ObjectAddress:
    """Parses a source as typed: `scheme://host/key`, or an absolute path, which means `file:///path`.

    The result is canonical, so that each object has one address: percent-encoding is decoded (for web addresses,
    encoded again uniformly), and empty names in the key are dropped. `*`, `?` and `[` in the key make it a pattern.

    Raises:
        SourceError: `source_refused`: not an address; one that `parse_address` refuses; an unsupported scheme; `**`; a
            web address with a query or a pattern.
    """
    text = text.strip(" ")
    try:
        decoded = decode(text, text)
        address = parse_address(f"file://{decoded}" if decoded.startswith("/") else decoded, has_query=False)
    except AddressError as error:
        raise _refused(error.reason) from error
    _check(address)
    key = "/".join(address.parts)
    return replace(address, key=quote(key) if address.is_web else key)


def _check(address: ObjectAddress) -> None:
    if not address.scheme:
        raise _refused("it is neither scheme://host/key nor an absolute path")
    if address.scheme not in _SCHEMES:
        raise _refused(f"{address.scheme}:// is not read here ({', '.join(sorted(_SCHEMES))} are)")
    if not address.host and address.scheme != "file":
        raise _refused("its host or bucket is not a plain name")
    if "**" in address.key:
        raise _refused('"**" is not allowed, name the folder')
    if address.is_web and (_GLOB | {"#"}) & set(address.key):
        raise _refused("a web address may hold neither a pattern nor a query")


def _refused(reason: str) -> SourceError:
    return SourceError(f"This source is refused: {reason}.", code=Reason.SOURCE_REFUSED)


def pattern_split(address: ObjectAddress) -> tuple[ObjectAddress, tuple[str, ...]]:
    """Splits a pattern into its fixed folder and the pattern below it; an address without a pattern gives ()."""
    base, pattern = parts_split(address.parts)
    return (replace(address, key="/".join(base)), pattern) if pattern else (address, ())


def parts_split(parts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Splits names into those before the first with a wildcard, and the rest."""
    base = tuple(itertools.takewhile(lambda part: not _GLOB & set(part), parts))
    return base, parts[len(base) :]


def pattern_fits(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether a path matches a pattern, segment by segment: `*` never matches a slash."""
    return len(pattern) == len(parts) and all(map(fnmatch.fnmatchcase, parts, pattern))


def parts_below(uri: str, folder_uri: str) -> tuple[str, ...] | None:
    """Returns the names between an artifact and a source inside its folder; the last ones may be a pattern.

    Returns:
        () for the artifact itself; None if the source is not inside.
    """
    if not folder_uri or uri == folder_uri:
        return () if folder_uri else None
    try:
        address, folder = address_parse(uri), parse_address(folder_uri)
    except (SourceError, AddressError):
        return None
    depth = len(folder.parts)
    is_inside = address.is_below(folder) and not (folder.is_web or folder.query) and len(address.parts) > depth
    return address.parts[depth:] if is_inside else None


def address_allow(address: ObjectAddress, prefixes: Iterable[str]) -> ObjectAddress:
    """Returns the allowed prefix that covers an address, by whole segments (`/data` does not cover `/database`).

    Raises:
        SourceError: `source_refused`: no prefix covers it.
    """
    for prefix in map(address_parse, prefixes):
        if address.is_below(prefix):
            return prefix
    raise SourceError(
        f"This portal may not read {address}: it is not an artifact of this step, and VIZPORTAL_SOURCE_ALLOW "
        "does not cover it.",
        code=Reason.SOURCE_REFUSED,
    )
