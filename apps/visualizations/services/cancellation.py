"""What ends before its time: renders that are cancelled, visualizations that are deleted."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.visualizations import jobs
from apps.visualizations.events import publish
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.results import render_files_delete
from apps.visualizations.services.rights import change_check, record, waiter_check
from apps.visualizations.states import ACTIVE_STATES, Reason, RenderState

logger = logging.getLogger(__name__)


def render_cancel(caller: Caller, render: Render) -> Render:
    """Cancels a queued render at once and asks a running one to stop; a render that has ended stays as it is.

    Returns:
        The render as it is now.

    Raises:
        NotAllowedError: neither the owner nor an administrator.
    """
    change_check(caller, render.visualization)
    if render.is_active:
        record(caller, "render.cancel", render.visualization, detail=f"render {render.number}")
    return _cancel(render)


def render_cancel_unfinished(caller: Caller, render_id: UUID) -> None:
    """Cancels a render whose only client, the caller, went away; one that has ended, or is gone, stays as it is.

    Raises:
        NotAllowedError: somebody else asked for it.
    """
    render = Render.objects.filter(id=render_id).select_related("visualization").first()
    if render is None or not render.is_active:
        return
    waiter_check(caller, render)
    record(caller, "render.cancel", render.visualization, detail="its client went away")
    _cancel(render)


def _cancel(render: Render) -> Render:
    now = timezone.now()
    mine = Render.objects.filter(id=render.id)
    queued = mine.filter(state=RenderState.QUEUED).update(
        state=RenderState.CANCELLED,
        reason=Reason.CANCELLED,
        message="Cancelled before it began.",
        cancel_requested_at=now,
        finished_at=now,
    )
    running = not queued and mine.filter(state=RenderState.RUNNING, cancel_requested_at=None).update(
        cancel_requested_at=now
    )
    if queued:
        jobs.job_discard(render)
    render.refresh_from_db()
    if queued or running:
        publish(render, is_end=bool(queued))
    return render


def visualization_delete(caller: Caller, visualization: Visualization) -> None:
    """Deletes a visualization with its renders and files. Running renders end when they next look at their row.

    Raises:
        NotAllowedError: neither the owner nor an administrator.
    """
    change_check(caller, visualization)
    renders = list(visualization.renders.all())
    with transaction.atomic():
        record(caller, "visualization.delete", visualization)
        visualization.delete()
    for render in renders:
        if render.state in ACTIVE_STATES:
            jobs.job_discard(render)
        # After the commit: a file without a row is swept up later, a row without its file is a broken page.
        render_files_delete(render)
    logger.info("visualization %s deleted by %s", visualization.title, caller.user)
