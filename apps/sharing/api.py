"""API operations of links."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import Caller, caller_of
from apps.reports.selectors import report_get
from apps.sharing import selectors, services
from apps.sharing.addresses import embed_snippet, share_address
from apps.sharing.models import Share
from apps.sharing.selectors import Target
from apps.visualizations.api.errors import ApiError
from apps.visualizations.api.pages import page_at
from apps.visualizations.api.schemas import errors
from apps.visualizations.selectors import render_get, visualization_get

router = Router(tags=["sharing"])
PageSize = Annotated[int, Query(ge=1, le=200)]


class ShareIn(Schema):
    """A new link to exactly one of: a render, the latest result of a visualization, or a report."""

    render_id: UUID | None = None
    visualization_id: UUID | None = None
    report_id: UUID | None = None
    days: int | None = Field(
        None, description="Days until it ends; by default 30, or the server's limit if that is lower."
    )
    origins: list[str] = Field([], description="Origins of pages that may embed it.")


class ShareOut(Schema):
    """A link, without its address; `anonymous`: whether it opens without a sign-in."""

    id: str
    prefix: str
    title: str
    render_id: str | None
    visualization_id: str | None
    report_id: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    open: bool
    anonymous: bool
    origins: list[str]
    uses: int
    last_used_at: datetime | None


class ShareMadeOut(ShareOut):
    """A new link with its address and the HTML that embeds it; only this response contains them."""

    link: str
    embed: str


class SharePage(Schema):
    """A page of links."""

    items: list[ShareOut]
    next: str | None


@router.get("", response={200: SharePage, **errors(400)}, url_name="shares")
def shares_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists your links, newest first."""
    rows = selectors.shares_visible(caller_of(request))
    found, following = page_at(rows, page_size=page_size, page_token=page_token)
    return {"items": [_shape(each) for each in found], "next": following}


@router.post("", response={201: ShareMadeOut, **errors(400, 404)}, url_name="share_create")
def share_create(request: HttpRequest, payload: ShareIn) -> Any:
    """Creates a link. Only this response contains its address."""
    caller = caller_of(request)
    share, token = services.share_create(
        caller, _target(caller, payload), now=timezone.now(), days=payload.days, origins=payload.origins
    )
    link = share_address(request, token)
    return Status(201, _shape(share) | {"link": link, "embed": embed_snippet(link, share) if share.origins else ""})


@router.delete("/{share_id}", response={204: None, **errors(404)}, url_name="share")
def share_revoke(request: HttpRequest, share_id: UUID) -> Any:
    """Revokes a link at once."""
    caller = caller_of(request)
    services.share_revoke(caller, selectors.share_get(caller, share_id), now=timezone.now())
    return Status(204, None)


def _target(caller: Caller, payload: ShareIn) -> Target:
    given = [each for each in (payload.render_id, payload.visualization_id, payload.report_id) if each]
    if len(given) != 1:
        message = "Name exactly one of render_id, visualization_id and report_id."
        raise ApiError(400, "invalid", message, {"visualization_id": message})
    if payload.report_id:
        return report_get(caller, payload.report_id)
    return render_get(caller, payload.render_id) if payload.render_id else visualization_get(caller, given[0])


def _shape(share: Share) -> dict[str, Any]:
    return {
        "id": str(share.id),
        "prefix": share.prefix,
        "title": share.title,
        **{f"{name}_id": _text(getattr(share, f"{name}_id")) for name in ("render", "visualization", "report")},
        "created_by": share.created_by.get_username(),
        "created_at": share.created_at,
        "expires_at": share.expires_at,
        "revoked_at": share.revoked_at,
        "open": share.is_open,
        "anonymous": settings.VIZPORTAL_SHARE_ANONYMOUS,
        "origins": share.origin_list,
        "uses": share.uses,
        "last_used_at": share.last_used_at,
    }


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
