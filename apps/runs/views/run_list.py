"""The run list: its pages, actions on the selected runs, and saved filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.runs import actions, exceptions, selectors, services
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.run_filters import RunFilterForm
from apps.runs.run_list import CHOSEN, run_list_context
from apps.runs.views.errors import handle_kubeflow_errors

MOST_COMPARED: Final = 10
_MOST_CHOSEN: Final = 200
_MOST_REASONS: Final = 5
_DONE: Final = {"archive": "Archived", "unarchive": "Unarchived", "delete": "Deleted"}
UNDONE_BY: Final = {"archive": "unarchive", "unarchive": "archive"}


@require_GET
@handle_kubeflow_errors
def run_list(request: HttpRequest) -> HttpResponse:
    """Lists runs. All filters are in the URL."""
    caller = caller_of(request)
    if "" in request.GET.values():
        # Without a script, a form sends every field. The URL that people share should contain only fields with a value.
        query = request.GET.copy()
        for name in [name for name, value in request.GET.items() if not value]:
            del query[name]
        return redirect(f"{request.path}?{query.urlencode()}" if query else request.path)
    return render(request, "runs/run_list.html", _context(request, caller, gateway_for(caller)))


@require_GET
@handle_kubeflow_errors
def run_list_metrics(request: HttpRequest) -> HttpResponse:
    """Returns the list's table again, with the metrics that had not been read before."""
    caller = caller_of(request)
    gateway = gateway_for(caller)
    context = _context(request, caller, gateway)
    unread = [row.run for row in context["rows"] if row.run.id in set(context["metrics_unread"])]
    if unread:
        services.metrics_read(caller, gateway, unread)
        context = _context(request, caller, gateway)
    # Metrics that could not be read are not requested again.
    return render(request, "runs/_run_table.html", context | {"metrics_unread": []})


def _context(request: HttpRequest, caller: Caller, gateway: Gateway) -> dict[str, Any]:
    form = RunFilterForm(request.GET)
    page = selectors.runs_list(caller, gateway, form.filters())
    address = reverse("runs:run_list")
    query = request.GET.urlencode()
    return run_list_context(request, caller, gateway, page, form) | {
        "list_path": address,
        "list_address": f"{address}?{query}" if query else address,
    }


@require_POST
@handle_kubeflow_errors
def run_selection(request: HttpRequest) -> HttpResponseBase:
    """Compares, tags, archives, unarchives or deletes the selected runs."""
    action = request.POST.get("action", "")
    run_ids = list(dict.fromkeys(run_id for run_id in request.POST.getlist("run") if run_id))[:_MOST_CHOSEN]
    back = _return_url(request)
    if not run_ids:
        messages.warning(request, "Tick the runs first.")
        return redirect(back)
    if action == "compare":
        return _compare(request, run_ids, back)
    caller = caller_of(request)
    if action == "tag":
        return _tag(request, caller, run_ids, back)
    if action not in _DONE:
        raise Http404(f"Runs have no action {action}.")
    _change_runs(request, caller, action, run_ids)
    return redirect(back)


def _compare(request: HttpRequest, run_ids: Sequence[str], back: str) -> HttpResponseBase:
    if not 2 <= len(run_ids) <= MOST_COMPARED:
        messages.warning(request, f"Tick two to {MOST_COMPARED} runs to compare; {len(run_ids)} are ticked.")
        request.session[CHOSEN] = list(run_ids)
        return redirect(back)
    query = QueryDict(mutable=True)
    query.setlist("run", list(run_ids))
    return redirect(f"{reverse('runs:run_compare')}?{query.urlencode()}")


def _tag(request: HttpRequest, caller: Caller, run_ids: Sequence[str], back: str) -> HttpResponseBase:
    try:
        name = services.tags_add(caller, gateway_for(caller), run_ids, request.POST.get("tag", ""))
    except exceptions.InvalidRequestError as error:
        messages.error(request, str(error))
        request.session[CHOSEN] = list(run_ids)
    else:
        messages.success(request, f"Tagged {_count(len(run_ids))} with “{name}”.")
    return redirect(back)


def _change_runs(request: HttpRequest, caller: Caller, action: str, run_ids: Sequence[str]) -> None:
    """Changes each run with a separate request. Shows refusals with their reasons; the others can be undone."""
    refusals = actions.runs_change(caller, gateway_for(caller), run_ids, action)
    done = [run_id for run_id, reason in refusals.items() if not reason]
    if done:
        undo_offer(request, UNDONE_BY.get(action, ""), done, f"{_DONE[action]} {_count(len(done))}.")
    refused = [f"{run_id}: {reason}" for run_id, reason in refusals.items() if reason]
    if refused:
        request.session[CHOSEN] = [run_id for run_id, reason in refusals.items() if reason]
        more = f" And {len(refused) - _MOST_REASONS} more." if len(refused) > _MOST_REASONS else ""
        reasons = " ".join(refused[:_MOST_REASONS])
        messages.error(
            request, f"Kubeflow refuses to {action} {len(refused)} of {_count(len(refusals))}. {reasons}{more}"
        )


def undo_offer(request: HttpRequest, action: str, run_ids: Sequence[str], words: str) -> None:
    """Shows a message, with a button that undoes a change by performing `action`; "" for no button."""
    if action:
        request.session["undo"] = {"action": action, "runs": list(run_ids)}
    messages.success(request, words, extra_tags="undo" if action else "")


@require_POST
@handle_kubeflow_errors
def run_undo(request: HttpRequest) -> HttpResponseBase:
    """Undoes the last action on runs."""
    caller = caller_of(request)
    caller.require(Right.CREATE)
    last = request.session.pop("undo", None)
    if not last or last.get("action") not in _DONE:
        messages.warning(request, "There is nothing to undo any more.")
    else:
        _change_runs(request, caller, last["action"], last["runs"])
    return redirect(_return_url(request))


@require_POST
def filter_save(request: HttpRequest) -> HttpResponseBase:
    """Saves the list's filter under a name."""
    query = RunFilterForm(QueryDict(request.POST.get("query", "")[:2000])).saved_query()
    caller = caller_of(request)
    try:
        saved = services.filter_save(
            caller,
            gateway_for(caller).endpoint.key,
            name=request.POST.get("name", ""),
            query=query,
            is_shared=request.POST.get("shared") == "1",
        )
    except exceptions.RunsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Saved the filter “{saved.name}”.")
    return redirect(f"{reverse('runs:run_list')}?{query}")


@require_POST
def filter_delete(request: HttpRequest, filter_id: int) -> HttpResponseBase:
    """Deletes one of the user's own filters."""
    try:
        services.filter_delete(caller_of(request), filter_id)
    except exceptions.NotFoundError as error:
        raise Http404(str(error)) from error
    messages.success(request, "Deleted the saved filter.")
    return redirect(_return_url(request))


def _return_url(request: HttpRequest) -> str:
    wanted, hosts = request.POST.get("next", ""), {request.get_host()}
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure())
    return wanted if is_safe else reverse("runs:run_list")


def _count(number: int) -> str:
    return f"{number} run{'s' if number != 1 else ''}"
