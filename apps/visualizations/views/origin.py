"""What a visualization's page adds once it is there: its run is gone, Kubeflow is silent, the artifact changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render as render_page
from django.views.decorators.http import require_safe

from apps.accounts.caller import caller_of
from apps.runs.exceptions import ForbiddenError, NotFoundError, RunsError
from apps.visualizations import provenance, selectors
from apps.visualizations.exceptions import NotFoundError as NoSuchVisualizationError
from apps.visualizations.models import Visualization

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


@require_safe
def visualization_origin(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Answers with a banner about the run behind a visualization; with nothing where all is well."""
    try:
        visualization = selectors.visualization_get(caller_of(request), visualization_id)
    except NoSuchVisualizationError as error:
        raise Http404(str(error)) from error
    context = {
        "visualization": visualization,
        "render": visualization.latest,
        "may_change": selectors.may_change(caller_of(request), visualization),
        **(_finding(request, visualization) if visualization.run_id else {}),
    }
    return render_page(request, "visualizations/origin.html", context)


def _finding(request: HttpRequest, visualization: Visualization) -> dict[str, Any]:
    try:
        details = provenance.run_now(caller_of(request), visualization)
    except NotFoundError:
        return {"is_gone": True}
    except ForbiddenError as error:
        # Whose run it is has changed, perhaps; the saved copy is judged by the portal's own rules.
        logger.info("%s: %s", request.path, error)
        return {}
    except RunsError as error:
        return {"trouble": str(error)}
    step = details.step(visualization.step_id)
    latest = visualization.latest
    return {"is_stale": bool(step and latest and not latest.is_active and provenance.is_stale(latest, step))}
