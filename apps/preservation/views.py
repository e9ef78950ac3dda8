"""The page of a run as it was copied."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render as render_page
from django.views.decorators.http import require_safe

from apps.accounts.caller import caller_of
from apps.preservation import selectors
from apps.runs.graph.page import graph_context
from apps.runs.graph.view_state import GraphViewState
from apps.runs.log_lines import log_page
from apps.runs.services import metrics_of
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.views.errors import service_errors_as_pages

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
def run_copy(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Shows the copy of a visualization's run: graph, parameters, metrics, and one step with its log."""
    caller = caller_of(request)
    with service_errors_as_pages():
        visualization = visualization_selectors.visualization_get(caller, visualization_id)
        copy = selectors.run_copy_get(caller, visualization)
        details = copy.details
        step = details.step(request.GET.get("step", visualization.step_id)) or next(iter(details.steps), None)
        log = selectors.log_copy_get(caller, visualization, copy, step.id) if step else None
    context = graph_context(details.steps, GraphViewState(frames="open"), view="graph", selected=step) | {
        "visualization": visualization,
        "copy": copy,
        "run": details.run,
        "steps": details.steps,
        "step": step,
        "metrics": metrics_of(details),
        "log": log,
        "log_page": log_page(log) if log else None,
    }
    return render_page(request, "preservation/run_copy.html", context)
