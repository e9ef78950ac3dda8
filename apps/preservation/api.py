"""API operation of the copy of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from apps.accounts.caller import caller_of
from apps.preservation import selectors
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.api import run_schemas, shapes
from apps.visualizations.api.schemas import errors

router = Router(tags=["visualizations"])


class RunCopyOut(run_schemas.RunDetailsOut):
    """A run as it was copied."""

    saved_at: datetime
    left_out: str = Field(description="What was too large to save; empty if nothing was.")
    logs: dict[str, str] = Field(description="The saved logs by step; only the end of a long one.")


@router.get("/{visualization_id}/run", response={200: RunCopyOut, **errors(404)}, url_name="run_copy")
def run_copy_get(request: HttpRequest, visualization_id: UUID) -> Any:
    """Returns the copy of a visualization's run, which stays when Kubeflow deletes the run."""
    caller = caller_of(request)
    visualization = visualization_selectors.visualization_get(caller, visualization_id)
    copy = selectors.run_copy_get(caller, visualization)
    logs = {each: selectors.log_copy_get(caller, visualization, copy, each).text for each in sorted(copy.step_ids)}
    count = visualization_selectors.visualization_counts(caller, [visualization.run_id])
    return shapes.details_shape(copy.details, count.get(visualization.run_id, 0)) | {
        "saved_at": copy.saved_at,
        "left_out": copy.note,
        "logs": logs,
    }
