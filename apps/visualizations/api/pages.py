"""Page tokens for lists in the portal's own database: they encode the position after the last row."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from apps.visualizations.api.errors import ApiError
from apps.visualizations.models import Visualization

RowT = TypeVar("RowT", bound=Model)


def page_cut(
    rows: QuerySet[Visualization], *, page_size: int, page_token: str
) -> tuple[list[Visualization], str | None]:
    """Returns the rows after the token, newest first, and the next token; None at the end.

    Unlike with an offset, rows added at the top do not shift the pages.

    Raises:
        ApiError: 400, the token is not from this list.
    """
    if page_token:
        at, last_id = _read(page_token)
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__gt=last_id))
    found = list(rows[: page_size + 1])
    if len(found) <= page_size:
        return found, None
    last = found[page_size - 1]
    return found[:page_size], _write(last.created_at, last.id)


def page_at(rows: QuerySet[RowT], *, page_size: int, page_token: str) -> tuple[list[RowT], str | None]:
    """Returns the rows from an offset on, in the order of `rows`, and the next token; None at the end.

    Raises:
        ApiError: 400, the token is not from this list.
    """
    if page_token and not (page_token.isascii() and page_token.isdecimal() and len(page_token) < 10):
        message = "This is not a page token of this list."
        raise ApiError(400, "invalid", message, {"page_token": message})
    start = int(page_token or 0)
    found = list(rows[start : start + page_size + 1])
    return found[:page_size], str(start + page_size) if len(found) > page_size else None


def _write(at: datetime, last_id: UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(last_id)]).encode()).decode()


def _read(token: str) -> tuple[datetime, UUID]:
    try:
        at, last_id = json.loads(base64.urlsafe_b64decode(token))
        return datetime.fromisoformat(at), UUID(last_id)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        message = "This is not a page token of this list."
        raise ApiError(400, "invalid", message, {"page_token": message}) from error
