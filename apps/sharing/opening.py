"""Opens a link for its holder: shows only its target, and only while its creator may read that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.accounts.caller import Caller, absent_caller
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind, ReportVersion
from apps.reports.selectors import ShownBlock, blocks_shown, report_get, version_get
from apps.runs import access
from apps.sharing.models import Share
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Render, token_digest
from apps.visualizations.selectors import render_ids_visible

NOTHING: Final = "There is nothing at this address, or it no longer exists."
_MOST_TOKEN_CHARS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The current content of a link.

    Attributes:
        version: version of the report; None for a link to a single result.
        blocks: blocks of the report, or the single result.
    """

    share: Share
    title: str
    version: ReportVersion | None
    blocks: Sequence[ShownBlock]

    def render_at(self, position: int | None) -> Render:
        """Returns the result of a report's block, or the single result for None.

        Raises:
            NotFoundError: there is no such result to show.
        """
        is_report = self.version is not None
        if is_report is (position is None):
            raise NotFoundError(NOTHING)
        block = next((each for each in self.blocks if each.position == (position or 0)), None)
        if block is None or block.render is None or block.missing:
            raise NotFoundError(NOTHING)
        return block.render


def share_open(caller: Caller, token: str, *, now: datetime) -> Opened:
    """Returns the content of a link.

    Without VIZPORTAL_SHARE_ANONYMOUS, the caller must also be permitted to read it in the portal.

    Raises:
        NotFoundError: for any reason, always with the same message.
    """
    share = _share_of(token) if token and len(token) <= _MOST_TOKEN_CHARS else None
    if share is None or not share.is_open_at(now):
        raise NotFoundError(NOTHING)
    opened = _opened(absent_caller(share.created_by), share)
    return opened if settings.VIZPORTAL_SHARE_ANONYMOUS else _seen_by(caller, opened)


def share_holds(share_id: str, render_id: UUID, *, now: datetime) -> bool:
    """Whether a link currently leads to this render; the visitor was checked when the address was signed."""
    share = _rows().filter(id=share_id).first()
    if share is None or not share.is_open_at(now):
        return False
    try:
        opened = _opened(absent_caller(share.created_by), share)
    except NotFoundError:
        return False
    return any(each.render is not None and each.render.id == render_id for each in opened.blocks)


def _rows() -> QuerySet[Share]:
    rows = Share.objects.select_related("created_by", "report", "visualization", "render__visualization")
    return rows.defer("render__code", "render__log", "render__traceback")


def _share_of(token: str) -> Share | None:
    return _rows().filter(digest=token_digest(token)).first()


def _opened(maker: Caller, share: Share) -> Opened:
    """Returns the content of a link that its creator may read."""
    version = None
    if share.report is not None:
        report = report_get(maker, share.report.id)
        if not access.may_read(maker, report.endpoint_key, report.namespace):
            raise NotFoundError(NOTHING)
        version = version_get(maker, report)
        blocks = blocks_shown(maker, version.blocks.all())
    else:
        kind = BlockKind.RENDER if share.render_id else BlockKind.VISUALIZATION
        blocks = blocks_shown(maker, [Draft(kind=kind, target_id=share.render_id or share.visualization_id)])
    blocks = [each for each in blocks if each.render is None or _may_read(maker, each.render)]
    if version is None and (not blocks or blocks[0].render is None):
        raise NotFoundError(NOTHING)
    return Opened(share=share, title=share.title, version=version, blocks=blocks)


def _may_read(maker: Caller, render: Render) -> bool:
    """Whether the creator may still read the namespace, even of their own result."""
    return access.may_read(maker, render.visualization.endpoint_key, render.visualization.namespace)


def _seen_by(visitor: Caller, opened: Opened) -> Opened:
    """Returns the part of the content that the visitor may read in the portal."""
    if opened.version is not None:
        report_get(visitor, opened.version.report_id)
    ids = [str(each.render.id) for each in opened.blocks if each.render is not None]
    visible = set(render_ids_visible(visitor, ids))
    blocks = [each for each in opened.blocks if each.render is None or each.render.id in visible]
    if opened.version is None and not blocks:
        raise NotFoundError(NOTHING)
    return Opened(share=opened.share, title=opened.title, version=opened.version, blocks=blocks)
