"""The values that no log line may hold, found among the settings by their names."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

HIDDEN: Final = "[secret]"
# Shorter ones would take harmless words out of every line; they are no secrets worth the name either.
_SHORTEST: Final = 6
_NAMES: Final = re.compile(r"(TOKEN|SECRET|PASSWORD|COOKIES?|CONNECTION_STRING|_KEYS?|_FALLBACKS)$", re.IGNORECASE)


def hide(text: str) -> str:
    """Returns the text without the secrets of this installation's settings."""
    pattern = _pattern() if settings.configured else None
    return pattern.sub(HIDDEN, text) if pattern else text


@functools.lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str] | None:
    names = [name for name in dir(settings) if name.isupper()]
    found = {each for name in names for each in _within(name, getattr(settings, name, None)) if len(each) >= _SHORTEST}
    # The longest first: one secret may begin another.
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True)))) if found else None


def forget() -> None:
    """Has the settings read again at the next line."""
    _pattern.cache_clear()


def _within(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            # An object store's `key` is one; an endpoint's is its name.
            yield from _within("store_key" if key == "key" and "prefix" in value else str(key), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _within(name, part)
    elif isinstance(value, str):
        yield from _in_text(name, value)


def _in_text(name: str, value: str) -> Iterator[str]:
    if _NAMES.search(name):
        yield value
    if value[:1] in "[{" and value[-1:] in "]}":
        # A setting that is JSON, such as VIZPORTAL_ENDPOINTS.
        try:
            yield from _within(name, json.loads(value))
        except ValueError:
            return
    elif "://" in value and "@" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            return
        yield from {password, unquote(password)} if password else ()
