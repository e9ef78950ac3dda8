"""The run list: its pages, what is done with the chosen rows, and filters under a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from apps.people import audit
from apps.people.models import Right
from apps.people.roles import require
from apps.runs import exceptions, selectors, services
from apps.runs import run_list as rows
from apps.runs.entities import Run
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.models import SavedFilter
from apps.runs.run_filters import RunFilters, query_kept
from apps.runs.views.faults import kubeflow_page

MOST_COMPARED: Final = 10
_MOST_CHOSEN: Final = 200
_AT_ONCE: Final = 4
_CALLS: Final[dict[str, tuple[Callable[[Gateway, str], None], str]]] = {
    "archive": (Gateway.run_archive, "Archived"),
    "unarchive": (Gateway.run_unarchive, "Took out of the archive:"),
    "delete": (Gateway.run_delete, "Deleted"),
}
UNDONE_BY: Final = {"archive": "unarchive", "unarchive": "archive"}


@require_GET
@kubeflow_page
def run_list(request: HttpRequest) -> HttpResponse:
    """Lists runs; everything that is chosen stands in the address."""
    return render(request, "runs/run_list.html", _context(request, gateway_for(request)))


@require_GET
@kubeflow_page
def run_list_metrics(request: HttpRequest) -> HttpResponse:
    """Answers the list's table once more, with the metrics read that it has not shown before."""
    gateway = gateway_for(request)
    context = _context(request, gateway)
    unread = [row.run for row in context["rows"] if row.run.id in set(context["metrics_unread"])]
    if unread:
        services.metrics_read(gateway, unread)
        context = _context(request, gateway)
    # What could not be read now is not asked for again and again.
    return render(request, "runs/_run_table.html", context | {"metrics_unread": []})


def _context(request: HttpRequest, gateway: Gateway) -> dict[str, Any]:
    filters = RunFilters.from_query(request.GET)
    page = selectors.runs_list(gateway, filters)
    address = reverse("runs:run_list")
    query = request.GET.urlencode()
    return rows.run_list(request, gateway, page, filters) | {
        "list_path": address,
        "list_address": f"{address}?{query}" if query else address,
    }


@require_POST
@kubeflow_page
def run_selection(request: HttpRequest) -> HttpResponseBase:
    """Does one thing with the chosen runs: compare, tag, archive, unarchive, delete."""
    action = request.POST.get("action", "")
    run_ids = list(dict.fromkeys(each for each in request.POST.getlist("run") if each))[:_MOST_CHOSEN]
    back = _way_back(request)
    if not run_ids:
        messages.warning(request, "Tick the runs first.")
        return redirect(back)
    if action == "compare":
        return _compare(request, run_ids, back)
    require(request.user, Right.CREATE)
    if action == "tag":
        return _tag(request, run_ids, back)
    if action not in _CALLS:
        raise Http404(f"Runs cannot be asked to {action}.")
    _each(request, gateway_for(request), action, run_ids)
    return redirect(back)


def _compare(request: HttpRequest, run_ids: Sequence[str], back: str) -> HttpResponseBase:
    if not 2 <= len(run_ids) <= MOST_COMPARED:
        messages.warning(request, f"Tick two to {MOST_COMPARED} runs to compare; {len(run_ids)} are ticked.")
        return redirect(back)
    query = QueryDict(mutable=True)
    query.setlist("run", list(run_ids))
    return redirect(f"{reverse('runs:run_compare')}?{query.urlencode()}")


def _tag(request: HttpRequest, run_ids: Sequence[str], back: str) -> HttpResponseBase:
    gateway = gateway_for(request)
    try:
        name = services.tag_clean(request.POST.get("tag", ""))
        # Each run is read first: only who may see a run may tag it.
        services.tags_add(request.user, gateway, _read(gateway, run_ids), name)
    except exceptions.InvalidRequestError as error:
        messages.error(request, str(error))
    else:
        audit.record("run.tag", request=request, target=", ".join(run_ids), detail=name)
        messages.success(request, f"Tagged {_count(len(run_ids))} with “{name}”.")
    return redirect(back)


def _read(gateway: Gateway, run_ids: Sequence[str]) -> list[Run]:
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(gateway.run, run_ids))


def _each(request: HttpRequest, gateway: Gateway, action: str, run_ids: Sequence[str]) -> None:
    """Asks Kubeflow once for each run; what is refused is told by its reason, the rest can be undone."""
    call, word = _CALLS[action]

    def ask(run_id: str) -> str:
        try:
            call(gateway, run_id)
        except exceptions.RunsError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        refusals = dict(zip(run_ids, pool.map(ask, run_ids), strict=True))
    done = [run_id for run_id, reason in refusals.items() if not reason]
    for run_id, reason in refusals.items():
        outcome = "refused" if reason else "done"
        audit.record(f"run.{action}", request=request, target=run_id, outcome=outcome, detail=reason)
    if action == "delete":
        for run_id in done:
            services.run_forget(gateway, run_id)
    if done:
        undo_offer(request, UNDONE_BY.get(action, ""), done, f"{word} {_count(len(done))}.")
    refused = [f"{run_id}: {reason}" for run_id, reason in refusals.items() if reason]
    if refused:
        messages.error(request, f"Kubeflow refuses to {action} {_count(len(refused))}. {' '.join(refused[:3])}")


def undo_offer(request: HttpRequest, action: str, run_ids: Sequence[str], words: str) -> None:
    """Says what was done, with a way back where there is one (`action` undoes it; "" for none)."""
    if action:
        request.session["undo"] = {"action": action, "runs": list(run_ids)}
    messages.success(request, words, extra_tags="undo" if action else "")


@require_POST
@kubeflow_page
def run_undo(request: HttpRequest) -> HttpResponseBase:
    """Undoes what was done to runs last."""
    require(request.user, Right.CREATE)
    last = request.session.pop("undo", None)
    if not last or last.get("action") not in _CALLS:
        messages.warning(request, "There is nothing to undo any more.")
    else:
        _each(request, gateway_for(request), last["action"], last["runs"])
    return redirect(_way_back(request))


@require_POST
def filter_save(request: HttpRequest) -> HttpResponseBase:
    """Keeps the list's filter under a name."""
    query = query_kept(QueryDict(request.POST.get("query", "")[:2000]))
    try:
        saved = services.filter_save(
            request.user,
            gateway_for(request).endpoint.key,
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
    """Deletes a filter of one's own."""
    deleted, _ = SavedFilter.objects.filter(pk=filter_id, owner_id=request.user.pk).delete()
    if not deleted:
        raise Http404("You have no such filter.")
    messages.success(request, "Deleted the saved filter.")
    return redirect(_way_back(request))


def _way_back(request: HttpRequest) -> str:
    wanted, hosts = request.POST.get("next", ""), {request.get_host()}
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure())
    return wanted if is_safe else reverse("runs:run_list")


def _count(number: int) -> str:
    return f"{number} run{'s' if number != 1 else ''}"
