"""Columns that the gallery needs on a visualization's own row: how it ended, and its search text."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from apps.visualizations.models import Render, Visualization
from apps.visualizations.states import ACTIVE_STATES, RenderState

_TEXTS = (
    *("title", "type_key", "run_name", "run_id", "pipeline_name", "step_name", "artifact_name", "source_uri"),
    *("tags", "notes"),
)


def text_of(visualization: Visualization) -> str:
    """Returns the lower-case text that a search for visualizations matches."""
    owner = visualization.owner.get_username() if visualization.owner else ""
    values = [*(getattr(visualization, name) for name in _TEXTS), owner]
    return "\n".join(value for value in values if value).lower()


def outcome_note(render: Render, state: RenderState | str) -> None:
    """Copies a render's outcome to its visualization's row if it is the latest; an active state clears the outcome."""
    outcome = "" if state in ACTIVE_STATES else str(state)
    Visualization.objects.filter(latest=render.id).exclude(outcome=outcome).update(outcome=outcome)


def index_fill(limit: int) -> int:
    """Fills columns that an older version left empty, at most `limit` rows for each; returns the number of rows."""
    unread = list(
        Visualization.objects.filter(text="").select_related("owner", "latest").order_by("created_at")[:limit]
    )
    for each in unread:
        each.text = text_of(each)
    Visualization.objects.bulk_update(unread, ["text"], batch_size=200)
    return len(unread) + _outcomes_fill(limit)


def _outcomes_fill(limit: int) -> int:
    open_rows = Visualization.objects.filter(outcome="").exclude(outcome=RenderState.SUCCEEDED)
    ended = open_rows.exclude(latest__state__in=ACTIVE_STATES).exclude(latest=None)
    ids = list(ended.order_by().values_list("id", flat=True)[:limit])
    state = Render.objects.filter(id=OuterRef("latest_id")).values("state")
    return Visualization.objects.filter(id__in=ids, outcome="").update(outcome=Subquery(state))
