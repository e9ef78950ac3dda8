"""Pages for writing a report: a new one, or the next version of an existing one."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.gallery.selectors import visualizations_chosen
from apps.reports import drafting, selectors, services
from apps.reports.blocks import MOST_BLOCKS, drafts_blank, drafts_model_card, drafts_of
from apps.reports.editing import Form, form_act, form_read
from apps.reports.models import BlockKind, Report
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError, VisualizationsError
from apps.visualizations.selectors import visualization_list
from apps.visualizations.services.rights import change_check
from apps.visualizations.states import RenderState

_MOST_CHOSEN: Final = MOST_BLOCKS
_MOST_FOUND: Final = 12
_MOST_REPORTS: Final = 50
_TEMPLATES: Final = {"": drafts_blank, "model-card": drafts_model_card}
_PICK_KINDS: Final = (
    (BlockKind.RENDER, "as they are now"),
    (BlockKind.VISUALIZATION, "always the latest of each"),
    (BlockKind.SERIES, "always the newest run of its series"),
)


def report_new(request: HttpRequest) -> HttpResponse:
    """Shows the form of a new report, or creates it."""
    caller = caller_of(request)
    caller.require(Right.CREATE)
    if request.method != "POST":
        template = request.GET.get("template", "")
        chosen = visualizations_chosen(caller, request.GET.getlist("v"), _MOST_CHOSEN)
        make = _TEMPLATES.get(template, drafts_blank)
        title = "Model card" if template == "model-card" else ""
        return _page(request, Form(title=title, drafts=make(drafting.drafts_from(chosen))))
    form = form_read(request.POST)
    if form.action != "save":
        return _changed(request, form)
    try:
        endpoint_key, namespace = drafting.place_for(caller, form.drafts)
        report = services.report_create(caller, form.title, form.drafts, endpoint_key=endpoint_key, namespace=namespace)
    except VisualizationsError as error:
        return _page(request, form, error=error, status=422)
    messages.success(request, "The report is saved.")
    return redirect(report)


def report_edit(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Shows the form of a report's next version, or saves it."""
    report = report_changeable(request, report_id)
    caller = caller_of(request)
    if request.method != "POST":
        version = selectors.version_get(caller, report)
        drafts = drafts_of(selectors.version_blocks(caller, version))
        return _page(request, Form(title=version.title, base=version.number, drafts=drafts), report)
    form = form_read(request.POST)
    if form.action != "save":
        return _changed(request, form, report)
    # "Save mine anyway" carries the number of the version that the conflict message named.
    base = form.base if form.at < 0 else form.at
    try:
        version = services.report_save(caller, report, base, form.title, form.drafts)
    except services.ReportChangedError as error:
        return _page(request, form, report, error=error, newer=error.number, status=409)
    except VisualizationsError as error:
        return _page(request, form, report, error=error, status=422)
    messages.success(request, f"Saved as version {version.number}.")
    return redirect(report)


def report_add(request: HttpRequest) -> HttpResponse:
    """Asks which report to add the chosen visualizations to, or adds them."""
    caller = caller_of(request)
    caller.require(Right.CREATE)
    query = request.POST if request.method == "POST" else request.GET
    chosen = visualizations_chosen(caller, query.getlist("v"), _MOST_CHOSEN)
    if request.method == "POST" and request.POST.get("report") not in {None, "new", "model-card"}:
        return _append(request, caller, chosen)
    if request.method == "POST":
        pairs = [("v", str(each.id)) for each in chosen]
        if request.POST.get("report") == "model-card":
            pairs.append(("template", "model-card"))
        return HttpResponseRedirect(f"{reverse('reports:report_new')}?{urlencode(pairs)}")
    reports = selectors.reports_changeable(caller)[:_MOST_REPORTS]
    context: dict[str, Any] = {"chosen": chosen, "reports": reports, "kinds": _PICK_KINDS}
    context["left_out"] = len(set(query.getlist("v"))) - len(chosen)
    return render(request, "reports/report_add.html", context)


def _append(request: HttpRequest, caller: Caller, chosen: list[Any]) -> HttpResponse:
    kind = request.POST.get("as", "")
    shown = BlockKind(kind) if kind in BlockKind.values else BlockKind.RENDER
    try:
        report = selectors.report_get(caller, request.POST["report"])
        drafts = drafting.drafts_from(chosen, shown)
        if not drafts:
            raise InvalidRequestError("None of these can be shown like this: they have no result, or no series.")
        version = services.report_append(caller, report, drafts)
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    except VisualizationsError as error:
        messages.error(request, str(error))
        return redirect("visualizations:gallery")
    messages.success(request, f"Added {len(drafts)} to the report, as version {version.number}.")
    return redirect(report)


def report_changeable(request: HttpRequest, report_id: UUID) -> Report:
    """Returns a report that the person may change.

    Raises:
        Http404: there is none, or this person may not change it.
    """
    caller = caller_of(request)
    try:
        report = selectors.report_get(caller, report_id)
        change_check(caller, report)
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    return report


def _changed(request: HttpRequest, form: Form, report: Report | None = None) -> HttpResponse:
    """Returns the form after the pressed button's action; nothing is saved."""
    chosen = visualizations_chosen(caller_of(request), form.picked, _MOST_CHOSEN) if form.action == "pick" else []
    form_act(form, drafting.drafts_from(chosen, form.pick_kind))
    return _page(request, form, report)


def _page(
    request: HttpRequest,
    form: Form,
    report: Report | None = None,
    *,
    error: VisualizationsError | None = None,
    newer: int = 0,
    status: int = 200,
) -> HttpResponse:
    caller = caller_of(request)
    good = visualization_list(caller, text=form.q, state=RenderState.SUCCEEDED)
    found = list(good[: _MOST_FOUND + 1])
    context = {
        "form": form,
        "report": report,
        "blocks": selectors.blocks_shown(
            caller, form.drafts, selectors.titles_kept(caller, report) if report else None
        ),
        "last": len(form.drafts) - 1,
        "error": error,
        "fields": error.fields if isinstance(error, InvalidRequestError) else {},
        "newer": newer,
        "found": found[:_MOST_FOUND],
        "has_more": len(found) > _MOST_FOUND,
        "kinds": _PICK_KINDS,
    }
    return render(request, "reports/report_edit.html", context, status=status)
