"""Read access to links: callers see their own; those who may see everything see all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.reports.models import Report
from apps.sharing.models import Share
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.selectors import id_read, results_latest

Target = Render | Visualization | Report


def shares_visible(caller: Caller) -> QuerySet[Share]:
    """Returns the links that a caller may see and revoke, newest first."""
    rows = Share.objects.select_related("created_by", "report", "visualization", "render__visualization").defer(
        "render__code", "render__log", "render__traceback"
    )
    if not caller.may(Right.VIEW):
        return rows.none()
    return rows if caller.sees_everything else rows.filter(created_by=caller.user_id)


def share_get(caller: Caller, share_id: UUID | str) -> Share:
    """Returns a link.

    Raises:
        NotFoundError: there is none, or it belongs to somebody else.
    """
    found = shares_visible(caller).filter(id=id_read(share_id)).first()
    if found is None:
        raise NotFoundError("There is no such link.")
    return found


def shares_of(caller: Caller, target: Target) -> QuerySet[Share]:
    """Returns the caller's links to a report, or to a visualization and any of its renders."""
    rows = shares_visible(caller)
    if isinstance(target, Report):
        return rows.filter(report=target)
    own = target.visualization_id if isinstance(target, Render) else target.id
    return rows.filter(Q(visualization=own) | Q(render__visualization=own))


def renders_shared() -> QuerySet[Any]:
    """Returns the ids of renders that open links lead to, which pruning keeps."""
    shared = _open().filter(render__isnull=False).values("render_id")
    latest = Visualization.objects.filter(id__in=_open().filter(visualization__isnull=False).values("visualization"))
    return Render.objects.filter(Q(id__in=shared) | Q(id__in=results_latest(latest))).values("id")


def _open() -> QuerySet[Share]:
    return Share.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
