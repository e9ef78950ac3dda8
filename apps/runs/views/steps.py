"""A step's panel: beside the graph for a script, else the run page with the panel open; and its log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from apps.runs import contexts, graph, selectors
from apps.runs.entities import RunDetails, Step, StepLog
from apps.runs.gateway import gateway_for
from apps.runs.views.faults import kubeflow_page
from apps.runs.views.runs import is_for


@require_GET
@kubeflow_page
def step_detail(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Shows one step of a run; `?tab=` is artifacts, io, logs or details."""
    gateway = gateway_for(request)
    details = gateway.run_details(run_id)
    step = selectors.step_get(details, step_id)
    tab = request.GET.get("tab", "artifacts")
    tab = tab if tab in contexts.TABS else "artifacts"
    panel = contexts.step_panel(details, step, tab=tab, artifact_id=request.GET.get("artifact", ""))
    if tab == "logs":
        panel["log"] = gateway.logs(run_id, step)
    if is_for(request, "step-panel"):
        return render(request, "runs/_panel.html", panel)
    view = request.GET.get("view", "graph")
    view = view if view in contexts.VIEWS else "graph"
    page = contexts.run_page(details, view=view, selected=step, look=graph.Look.from_query(request.GET))
    return render(request, "runs/run_detail.html", {**page, **panel})


@require_GET
@kubeflow_page
def step_log(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Answers a step's log: a part of the panel while it runs, else a text file."""
    gateway = gateway_for(request)
    details = gateway.run_details(run_id)
    step = selectors.step_get(details, step_id)
    log = gateway.logs(run_id, step)
    if is_for(request, "step-log"):
        return _watched_log(request, details, step, log)
    response = HttpResponse(log.text or log.note, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{step_id}.log"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _watched_log(request: HttpRequest, details: RunDetails, step: Step, log: StepLog) -> HttpResponse:
    """Answers a poll: the log so far, or, once the step has ended, the whole panel with its last state."""
    if not step.state.is_final:
        return render(request, "runs/_log.html", {"run": details.run, "step": step, "log": log})
    panel = contexts.step_panel(details, step, tab="logs")
    response = render(request, "runs/_panel.html", {**panel, "log": log})
    return reswap(retarget(response, "#step-panel"), "innerHTML")
