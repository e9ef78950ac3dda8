"""One run, its actions, and the comparison of runs."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.caller import caller_of
from apps.runs import actions, comparison, contexts, exceptions, graph, services
from apps.runs.gateway import gateway_for
from apps.runs.middleware import path_within
from apps.runs.views.errors import handle_kubeflow_errors
from apps.runs.views.run_list import MOST_COMPARED, UNDONE_BY, undo_offer

_DONE: Final = {
    "terminate": "Asked Kubeflow to stop the run.",
    "archive": "Archived the run.",
    "unarchive": "Unarchived the run.",
    "retry": "Started the failed steps again.",
    "delete": "Deleted the run.",
}


@require_GET
@handle_kubeflow_errors
def run_detail(request: HttpRequest, run_id: str) -> HttpResponse:
    """Shows a run; a polling script gets the part that changes."""
    details = gateway_for(caller_of(request)).run_details(run_id)
    step_id = selected_step_id(request)
    selected = details.step(step_id) if step_id else None
    view = request.GET.get("view", "graph")
    view = view if view in contexts.VIEWS else "graph"
    context = contexts.run_page(
        details, view=view, selected=selected, look=graph.GraphViewState.from_query(request.GET)
    )
    is_part = is_for(request, "run-live")
    return render(request, "runs/_run_live.html" if is_part else "runs/run_detail.html", context)


@require_POST
@handle_kubeflow_errors
def run_action(request: HttpRequest, run_id: str, action: str) -> HttpResponseBase:
    """Performs one action on a run, and reports it on the next page."""
    if action not in _DONE:
        raise Http404(f"A run has no action {action}.")
    caller = caller_of(request)
    refusal = actions.run_change(caller, gateway_for(caller), run_id, action)
    if refusal:
        messages.error(request, f"Kubeflow refuses to {action} this run: {refusal}")
        return redirect("runs:run_detail", run_id=run_id)
    undo_offer(request, UNDONE_BY.get(action, ""), [run_id], _DONE[action])
    return redirect("runs:run_list") if action == "delete" else redirect("runs:run_detail", run_id=run_id)


@require_POST
@handle_kubeflow_errors
def run_tag(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Adds a tag to a run, or removes one (`remove`)."""
    caller = caller_of(request)
    gateway = gateway_for(caller)
    removed = request.POST.get("remove", "")
    try:
        if removed:
            services.tag_remove(caller, gateway, run_id, removed)
        else:
            services.tags_add(caller, gateway, [run_id], request.POST.get("tag", ""))
    except exceptions.InvalidRequestError as error:
        messages.error(request, str(error))
    return redirect("runs:run_detail", run_id=run_id)


@require_GET
@handle_kubeflow_errors
def run_compare(request: HttpRequest) -> HttpResponse:
    """Shows two to ten runs side by side, and an error for each run that cannot be read."""
    run_ids = list(dict.fromkeys(request.GET.getlist("run")))[:MOST_COMPARED]
    gateway = gateway_for(caller_of(request))
    found, problems = comparison.runs_read(gateway, run_ids)
    compared = comparison.compare(found, problems)
    context = {
        "comparison": compared,
        "tables": [("Parameters", compared.parameters, False), ("Metrics", compared.metrics, True)],
        "only_differences": request.GET.get("differences") == "1",
        "most": MOST_COMPARED,
    }
    return render(request, "runs/run_compare.html", context)


def is_for(request: HttpRequest, target: str) -> bool:
    """Whether a script requests the fragment with this id, and not the page itself."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target == target and not htmx.history_restore_request  # type: ignore[union-attr]


def selected_step_id(request: HttpRequest) -> str:
    """Returns the step whose panel is open on the requesting page, from that page's URL; "" for none."""
    current = getattr(getattr(request, "htmx", None), "current_url", None) or ""
    try:
        return str(resolve(path_within(urlsplit(current).path)).kwargs.get("step_id", "")) if current else ""
    except Resolver404:
        return ""
