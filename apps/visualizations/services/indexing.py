"""What a visualization keeps on its own row for the gallery: how it ended, and the text that a search looks at."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from apps.visualizations.models import Render, Visualization
from apps.visualizations.states import ACTIVE_STATES, RenderState

_TEXTS = (
    *("title", "type_key", "run_name", "run_id", "pipeline_name", "step_name", "artifact_name", "source_uri"),
    *("tags", "notes"),
)


def text_of(visualization: Visualization) -> str:
    """Returns everything that a search of a visualization looks at, in small letters."""
    owner = visualization.owner.get_username() if visualization.owner else ""
    values = [*(getattr(visualization, name) for name in _TEXTS), owner]
    return "\n".join(value for value in values if value).lower()


def outcome_note(render: Render, state: RenderState | str) -> None:
    """Writes how a render ended, or that it waits again, on its visualization's row, where it is the latest one."""
    outcome = "" if state in ACTIVE_STATES else str(state)
    Visualization.objects.filter(latest=render.id).exclude(outcome=outcome).update(outcome=outcome)


def index_fill(limit: int) -> int:
    """Writes what an older version left out, which may run beside this one; returns of how many, `limit` at most."""
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
