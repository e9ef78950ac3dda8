"""Selects visualizations to render again."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.rights import right_check
from apps.visualizations.states import ACTIVE_STATES


def visualizations_chosen(
    caller: Caller,
    *,
    type_key: str = "",
    pipeline_name: str = "",
    run_id: str = "",
    state: str = "",
    before: datetime | None = None,
) -> QuerySet[Visualization]:
    """Returns the matching visualizations of all users; an empty filter matches everything.

    Args:
        before: leave out visualizations with an ended render that was requested at or after this time.

    Raises:
        NotAllowedError: the caller is no administrator.
    """
    right_check(caller, Right.ADMINISTER)
    wanted = {"type_key": type_key, "pipeline_name": pipeline_name, "run_id": run_id, "latest__state": state}
    filters = {name: value for name, value in wanted.items() if value}
    rows = Visualization.objects.filter(deleted_at=None, **filters)
    if before is not None:
        since = Render.objects.filter(visualization=OuterRef("pk"), created_at__gte=before)
        rows = rows.exclude(Exists(since.exclude(state__in=ACTIVE_STATES)))
    return rows.select_related("latest", "owner").order_by("created_at", "id")
