"""What ends before its time: renders that are cancelled, visualizations that are deleted."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.visualizations import jobs
from apps.visualizations.events import publish
from apps.visualizations.models import ACTIVE_STATES, Render, RenderState, Visualization
from apps.visualizations.services.results import render_files_delete
from apps.visualizations.services.rights import change_check, record

logger = logging.getLogger(__name__)


def render_cancel(user: Any, render: Render) -> Render:
    """Cancels a queued render at once and asks a running one to stop; a render that has ended stays as it is.

    Returns:
        The render as it is now.

    Raises:
        NotAllowedError: neither the owner nor staff.
    """
    change_check(user, render.visualization)
    if render.is_active:
        record("render.cancel", user, render.visualization)
    return _cancel(render)


def render_withdraw(render_id: UUID) -> None:
    """Cancels a render whose only client went away; one that has ended, or is gone, stays as it is."""
    render = Render.objects.filter(id=render_id).first()
    if render is not None and render.is_active:
        _cancel(render)


def _cancel(render: Render) -> Render:
    now = timezone.now()
    mine = Render.objects.filter(id=render.id)
    queued = mine.filter(state=RenderState.QUEUED).update(
        state=RenderState.CANCELLED,
        reason="cancelled",
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


def visualization_delete(user: Any, visualization: Visualization) -> None:
    """Deletes a visualization with its renders and files. Running renders end when they next look at their row.

    Raises:
        NotAllowedError: neither the owner nor staff.
    """
    change_check(user, visualization)
    renders = list(visualization.renders.all())
    record("visualization.delete", user, visualization)
    with transaction.atomic():
        visualization.delete()
    for render in renders:
        if render.state in ACTIVE_STATES:
            jobs.job_discard(render)
        # After the commit: a file without a row is swept up later, a row without its file is a broken page.
        render_files_delete(render)
    logger.info("visualization %s deleted by %s", visualization.title, user)
