"""The reader's time zone. The browser sends it in a cookie, so that pages arrive with local times and do not flicker.

Addresses, filters and the API stay in UTC, which means the same for everybody.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Set by static/js/times.js.
COOKIE: Final = "vizportal_zone"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}\Z")
_LONGEST_NAME: Final = 64
_reader_zone: ContextVar[tzinfo] = ContextVar("reader_zone", default=UTC)


@functools.lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """Returns a time zone by its IANA name; UTC if this machine has no zone of that name."""
    if len(name) > _LONGEST_NAME or not _NAME.match(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return UTC


def reader_zone_middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> object:
    """Middleware: sets the zone of a page's times to the one that the browser sent, or UTC."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        token = _reader_zone.set(zone_named(request.COOKIES.get(COOKIE, "")))
        try:
            return get_response(request)
        finally:
            _reader_zone.reset(token)

    return answer


def zone_key() -> str:
    """Returns the IANA name of the reader's zone, such as "Europe/Berlin"; "UTC" if unknown."""
    return getattr(_reader_zone.get(), "key", "UTC")


def local_text(moment: datetime, *, with_seconds: bool = False) -> str:
    """Returns a time in the reader's zone, with the zone's name, such as "2026-11-29 14:05 CET"."""
    local = moment.astimezone(_reader_zone.get())
    name = local.strftime("%Z")
    # Many zones have no abbreviation of letters: "-03" and "+0545" are named as browsers do.
    zone = name if name[:1].isalpha() else f"UTC{name[0]}{int(name[1:3])}{':' if name[3:] else ''}{name[3:]}"
    return f"{local:%Y-%m-%d %H:%M:%S} {zone}" if with_seconds else f"{local:%Y-%m-%d %H:%M} {zone}"


def exact_text(moment: datetime) -> str:
    """Returns a time to the second in the reader's zone and in UTC; only once if these are the same."""
    local, utc = local_text(moment, with_seconds=True), f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return utc if local == utc else f"{local} = {utc}"
