"""Cancelling renders and deleting visualizations."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations import job_queue, selectors
from apps.visualizations.events import publish
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.indexing import outcome_note
from apps.visualizations.services.rights import change_check, namespace_check, record, right_check, waiter_check
from apps.visualizations.states import ACTIVE_STATES, Reason, RenderState

logger = logging.getLogger(__name__)


def render_cancel(caller: Caller, render: Render) -> Render:
    """Cancels a queued render at once and asks a running one to stop; an ended render stays as it is.

    Returns:
        The refreshed render.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
    """
    change_check(caller, render.visualization)
    if render.is_active:
        record(caller, "render.cancel", render.visualization, detail=f"render {render.number}")
    return _cancel(render)


def render_cancel_unfinished(caller: Caller, render_id: UUID) -> None:
    """Cancels a render whose only client, the caller, disconnected; ignores one that has ended or is gone.

    Raises:
        NotAllowedError: the caller did not request the render.
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
        job_queue.job_discard(render)
    if queued:
        outcome_note(render, RenderState.CANCELLED)
    render.refresh_from_db()
    if queued or running:
        publish(render, is_end=bool(queued))
    return render


def visualization_delete(caller: Caller, visualization: Visualization) -> None:
    """Deletes a visualization: it becomes invisible, and can be restored within a day.

    Queued renders are cancelled, running ones are asked to stop. The reconciler removes rows and files after that day.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
    """
    change_check(caller, visualization)
    with transaction.atomic():
        record(caller, "visualization.delete", visualization)
        Visualization.objects.filter(id=visualization.id, deleted_at=None).update(deleted_at=timezone.now())
    for render in visualization.renders.filter(state__in=ACTIVE_STATES):
        _cancel(render)


def visualization_restore(caller: Caller, visualization_id: UUID | str) -> Visualization:
    """Restores a deleted visualization.

    Raises:
        NotFoundError: it was not deleted, was purged, or is in a namespace that the caller may not read.
        NotAllowedError: the caller is neither the owner nor an administrator.
    """
    right_check(caller, Right.CREATE)
    deleted = Visualization.objects.filter(deleted_at__isnull=False).select_related("owner")
    found = deleted.filter(id=selectors.id_read(visualization_id)).first()
    if found is None:
        raise NotFoundError("There is nothing to restore: it was not deleted, or is gone for good.")
    namespace_check(caller, found.endpoint_key, found.namespace)
    change_check(caller, found)
    with transaction.atomic():
        Visualization.objects.filter(id=found.id).update(deleted_at=None)
        record(caller, "visualization.restore", found)
    return found
