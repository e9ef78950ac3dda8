"""Redacts the values of secret settings, recognized by the settings' names, in logged text."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

REPLACEMENT: Final = "[secret]"
# Redacting shorter values would remove harmless words from many lines.
_MIN_LENGTH: Final = 6
# Readers of a log must not be able to open shared links.
_LINK: Final = re.compile(r"(/s/)[A-Za-z0-9_-]{40,50}(?![A-Za-z0-9_-])", re.ASCII)
_NAMES: Final = re.compile(r"(TOKEN|SECRET|PASSWORD|COOKIES?|CONNECTION_STRING|_KEYS?|_FALLBACKS)$", re.IGNORECASE)


def redact(text: str) -> str:
    """Returns the text with secret settings, and the tokens of shared links, replaced."""
    text = _LINK.sub(rf"\g<1>{REPLACEMENT}", text)
    pattern = _pattern() if settings.configured else None
    return pattern.sub(REPLACEMENT, text) if pattern else text


@functools.lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str] | None:
    names = [name for name in dir(settings) if name.isupper()]
    values = {secret for name in names for secret in _secrets(name, getattr(settings, name, None))}
    # Longest first: one secret may be a prefix of another.
    ordered = sorted((value for value in values if len(value) >= _MIN_LENGTH), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def reload() -> None:
    """Makes the next call of `redact` read the settings again."""
    _pattern.cache_clear()


def _secrets(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            # An object store's `key` is a secret; an endpoint's is its name.
            yield from _secrets("store_key" if key == "key" and "prefix" in value else str(key), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _secrets(name, part)
    elif isinstance(value, str):
        yield from _secrets_in_text(name, value)


def _secrets_in_text(name: str, value: str) -> Iterator[str]:
    if _NAMES.search(name):
        yield value
    if value[:1] in "[{" and value[-1:] in "]}":
        # A setting that is JSON, such as VIZPORTAL_ENDPOINTS.
        try:
            yield from _secrets(name, json.loads(value))
        except ValueError:
            return
    elif "://" in value and "@" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            return
        yield from {password, unquote(password)} if password else ()
