"""Recurring runs: the list, one recurring run with the runs it started, and enabling and disabling it."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.caller import caller_of
from apps.runs import actions, selectors
from apps.runs.gateway import gateway_for
from apps.runs.gateway.filters import RunQuestion
from apps.runs.views.errors import handle_kubeflow_errors

_SHOWN_RUNS: Final = 10
_DONE: Final = {
    "enable": "The schedule is on.",
    "disable": "The schedule is off. Runs that it has started continue.",
    "delete": "Deleted the schedule. The runs that it has started stay.",
}


@require_GET
@handle_kubeflow_errors
def recurring_list(request: HttpRequest) -> HttpResponse:
    """Lists recurring runs, filtered by a part of their name."""
    gateway = gateway_for(caller_of(request))
    text = request.GET.get("q", "").strip()[:200]
    sort = request.GET.get("sort", "-created")
    page = gateway.recurring_runs(
        text=text,
        sort=sort,
        experiment_id=request.GET.get("experiment", "")[:200],
        page_token=request.GET.get("page", ""),
    )
    context = {
        "page": page,
        "text": text,
        "sort": sort,
        "pipeline_names": {each.id: each.name for each in selectors.pipeline_choices(gateway)},
    }
    return render(request, "runs/recurring_list.html", context)


@require_GET
@handle_kubeflow_errors
def recurring_detail(request: HttpRequest, recurring_run_id: str) -> HttpResponse:
    """Shows a recurring run, and the newest runs it started."""
    gateway = gateway_for(caller_of(request))
    recurring = gateway.recurring_run(recurring_run_id)
    runs = gateway.runs(RunQuestion(recurring_run_id=recurring.id), page_size=_SHOWN_RUNS)
    context = {
        "recurring": recurring,
        "runs": runs,
        "pipeline_names": {each.id: each.name for each in selectors.pipeline_choices(gateway)},
    }
    return render(request, "runs/recurring_detail.html", context)


@require_POST
@handle_kubeflow_errors
def recurring_action(request: HttpRequest, recurring_run_id: str, action: str) -> HttpResponseBase:
    """Enables, disables or deletes a recurring run."""
    if action not in _DONE:
        raise Http404(f"A recurring run has no action {action}.")
    caller = caller_of(request)
    refusal = actions.recurring_run_change(caller, gateway_for(caller), recurring_run_id, action)
    if refusal:
        messages.error(request, f"Kubeflow refuses to {action} this schedule: {refusal}")
        return redirect("runs:recurring_detail", recurring_run_id=recurring_run_id)
    messages.success(request, _DONE[action])
    if action == "delete":
        return redirect("runs:recurring_list")
    return redirect("runs:recurring_detail", recurring_run_id=recurring_run_id)
