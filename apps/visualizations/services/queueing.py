"""Queueing renders, and the limit for each person."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from renderer import RenderSpec

from apps.accounts.caller import Caller
from apps.visualizations import job_queue, selectors
from apps.visualizations.exceptions import TooManyQueuedError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.credentials import credential_keep
from apps.visualizations.services.recipes import recipe_keep
from apps.visualizations.specs import spec_columns


def queue_check(caller: Caller) -> None:
    """Raises TooManyQueuedError if the caller may not queue another render."""
    limit = settings.VIZPORTAL_MAX_QUEUED_PER_USER
    if selectors.queued_count(caller) >= limit:
        raise TooManyQueuedError(limit)


def render_write(visualization: Visualization, spec: RenderSpec, user: Any, sealed_credential: str = "") -> Render:
    """Writes a queued render as the visualization's latest, and queues its job on commit."""
    # The lock makes the number unique where the database has row locks; SQLite has a single writer anyway.
    Visualization.objects.select_for_update().get(id=visualization.id)
    last = visualization.renders.aggregate(last=Max("number"))["last"] or 0
    render = Render.objects.create(
        visualization=visualization, number=last + 1, requested_by=user, **spec_columns(spec)
    )
    visualization.latest, visualization.outcome = render, ""
    recipe_keep(visualization, spec)
    visualization.save(update_fields=["latest", "outcome", "recipe"])
    credential_keep(render, sealed_credential)
    transaction.on_commit(lambda: job_queue.render_announce(render))
    return render
