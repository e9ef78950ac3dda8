"""Recurring runs: the list, one schedule with the runs it started, and switching it on and off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.people.models import Right
from apps.people.roles import needs
from apps.runs import selectors
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.gateway.filters import RunQuestion
from apps.runs.views.asking import Asked, kubeflow_does
from apps.runs.views.faults import kubeflow_page

_SHOWN_RUNS: Final = 10
_ACTIONS: Final[dict[str, tuple[Callable[[Gateway, str], None], str]]] = {
    "enable": (Gateway.recurring_run_enable, "The schedule is on."),
    "disable": (Gateway.recurring_run_disable, "The schedule is off; runs it has started go on."),
    "delete": (Gateway.recurring_run_delete, "Deleted the schedule; the runs it has started stay."),
}


@require_GET
@kubeflow_page
def recurring_list(request: HttpRequest) -> HttpResponse:
    """Lists recurring runs by part of their name."""
    gateway = gateway_for(request)
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
@kubeflow_page
def recurring_detail(request: HttpRequest, recurring_run_id: str) -> HttpResponse:
    """Shows a schedule, and the newest runs it started."""
    gateway = gateway_for(request)
    recurring = gateway.recurring_run(recurring_run_id)
    runs = gateway.runs(RunQuestion(recurring_run_id=recurring.id), page_size=_SHOWN_RUNS)
    context = {
        "recurring": recurring,
        "runs": runs,
        "pipeline_names": {each.id: each.name for each in selectors.pipeline_choices(gateway)},
    }
    return render(request, "runs/recurring_detail.html", context)


@require_POST
@needs(Right.CREATE)
@kubeflow_page
def recurring_action(request: HttpRequest, recurring_run_id: str, action: str) -> HttpResponseBase:
    """Switches a schedule on or off, or deletes it."""
    if action not in _ACTIONS:
        raise Http404(f"A recurring run cannot be asked to {action}.")
    call, done = _ACTIONS[action]
    gateway = gateway_for(request)
    name = gateway.recurring_run(recurring_run_id).name
    asked = Asked(kind="recurring_run", action=action, id=recurring_run_id, name=name)
    if kubeflow_does(request, asked, lambda: call(gateway, recurring_run_id)):
        messages.success(request, done)
        if action == "delete":
            return redirect("runs:recurring_list")
    return redirect("runs:recurring_detail", recurring_run_id=recurring_run_id)
