"""The banner that loads after a visualization's page: run gone, Kubeflow unreachable, or artifact changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render as render_page
from django.views.decorators.http import require_safe

from apps.accounts.caller import caller_of
from apps.visualizations import selectors
from apps.visualizations.exceptions import NotFoundError as NoSuchVisualizationError
from apps.visualizations.services import staleness

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
def visualization_origin(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Returns a banner about the run behind a visualization; empty if nothing has changed."""
    try:
        visualization = selectors.visualization_get(caller_of(request), visualization_id)
    except NoSuchVisualizationError as error:
        raise Http404(str(error)) from error
    context = {
        "visualization": visualization,
        "render": visualization.latest,
        "may_change": caller_of(request).may_change(visualization.owner_id),
        # The page itself shows changes of type and environment, which need no request.
        "findings": staleness.origin_findings(caller_of(request), visualization),
    }
    return render_page(request, "visualizations/origin.html", context)
