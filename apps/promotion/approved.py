"""The approved types, as a source for the catalogue of visualization types.

Each process caches the types. A small query checks whether they are still current: once per request, and on every read
outside of requests.
"""

from __future__ import annotations

import logging
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import Error as DatabaseError
from vizkit.types.entities import VisualizationType

from apps.promotion.files import UnfitFileError, file_read, version_name
from apps.promotion.models import Proposal, Version

logger = logging.getLogger(__name__)
Mark = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Kept:
    """This process's cache; `mark` identifies the versions it was built from."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Mark = ()
    kinds: tuple[VisualizationType, ...] = ()


@dataclass(slots=True)
class _Look:
    """The types found by a request; None before it has checked."""

    kinds: tuple[VisualizationType, ...] | None = None


_kept: Final = _Kept()
_look: Final[ContextVar[_Look | None]] = ContextVar("promotion_look", default=None)


def types_approved() -> tuple[VisualizationType, ...]:
    """Returns the types that are approved and not retired, ordered by key; their `path` is None.

    While the database does not answer, returns the types that this process knew last.
    """
    look = _look.get()
    if look is not None and look.kinds is not None:
        return look.kinds
    try:
        kinds = _types_now()
    except DatabaseError:
        # Commands that need no database list types too, even before the tables exist.
        logger.info("Approved types cannot be read from the database.", exc_info=True)
        return _kept.kinds
    if look is not None:
        look.kinds = kinds
    return kinds


def types_forget() -> None:
    """Makes the current request check again, after it changed which types are approved."""
    look = _look.get()
    if look is not None:
        look.kinds = None


def request_begin(**_signal: Any) -> None:
    """Starts a request, which checks only once."""
    _look.set(_Look())


def request_end(**_signal: Any) -> None:
    """Ends a request; from now on every read checks."""
    _look.set(None)


def _types_now() -> tuple[VisualizationType, ...]:
    in_use = Proposal.objects.filter(retired_at=None, approved__isnull=False).exclude(key="")
    mark: Mark = tuple(in_use.order_by("key").values_list("key", "approved_id"))
    with _kept.lock:
        if mark != _kept.mark:
            _kept.kinds = _types_read([version_id for _, version_id in mark])
            _kept.mark = mark
        return _kept.kinds


def _types_read(version_ids: list[int]) -> tuple[VisualizationType, ...]:
    rows = {row.pk: row for row in Version.objects.filter(pk__in=version_ids)}
    kinds = []
    for version_id in version_ids:
        try:
            version = rows[version_id]
            kinds.append(file_read(version.file, version=version_name(version.number, version.file)))
        except (KeyError, UnfitFileError):
            # Approved by a release with other rules; its results stay.
            logger.warning("The approved version %s is no valid type here.", version_id, exc_info=True)
    return tuple(kinds)
