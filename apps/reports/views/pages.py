"""The pages of reports: the list, a report, its versions, its file."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import caller_of
from apps.reports import offline, selectors, services
from apps.reports.contexts import report_context
from apps.reports.differences import versions_compare
from apps.reports.forms import VersionsForm, numbers_read
from apps.reports.models import Report
from apps.reports.views.editor import report_changeable
from apps.runs.views.sandboxed_response import set_sandbox_headers
from apps.visualizations.exceptions import NotAllowedError, NotFoundError, VisualizationsError
from apps.visualizations.views.content import for_scripts_too
from apps.visualizations.views.errors import service_errors_as_pages

_PAGE: Final = 50
_UNDO: Final = "report_undo"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """Lists the reports that the person may see, most recently changed first."""
    page = Paginator(selectors.reports_visible(caller_of(request)), _PAGE).get_page(request.GET.get("page"))
    return render(request, "reports/report_list.html", {"page": page, "undo": request.session.get(_UNDO)})


@require_safe
def report_detail(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Shows a report; with `?print=yes`, pictures replace the frames."""
    return _show(request, report_id)


@require_safe
def report_version(request: HttpRequest, report_id: UUID, number: int) -> HttpResponse:
    """Shows a version of a report."""
    return _show(request, report_id, number)


def _show(request: HttpRequest, report_id: UUID, number: int | None = None) -> HttpResponse:
    caller, report = caller_of(request), _report(request, report_id)
    with service_errors_as_pages():
        context = report_context(caller, report, number)
    context |= {"may_change": caller.may_change(report.owner_id), "is_print": request.GET.get("print") == "yes"}
    return render(request, "reports/report_detail.html", context)


@require_safe
def report_versions(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Lists a report's versions, newest first."""
    caller, report = caller_of(request), _report(request, report_id)
    page = Paginator(selectors.versions_of(caller, report), _PAGE).get_page(request.GET.get("page"))
    context = {"report": report, "page": page, "may_change": caller.may_change(report.owner_id)}
    return render(request, "reports/report_versions.html", context)


@require_safe
def report_compare(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Compares a version (`?to=`, default the newest) with an older one (`?from=`, default its predecessor)."""
    caller, report = caller_of(request), _report(request, report_id)
    before, after = numbers_read(request.GET, report.number)
    numbers = selectors.versions_of(caller, report).values_list("number", flat=True)
    form = VersionsForm(before, after, numbers)
    with service_errors_as_pages():
        difference = versions_compare(caller, report, before, after)
    return render(request, "reports/report_compare.html", {"report": report, "form": form, "difference": difference})


@require_POST
def report_restore(request: HttpRequest, report_id: UUID, number: int) -> HttpResponse:
    """Saves an older version again."""
    report = report_changeable(request, report_id)
    try:
        with service_errors_as_pages():
            version = services.report_restore(caller_of(request), report, number)
            messages.success(request, f"Restored version {number}, as version {version.number}.")
    except VisualizationsError as error:
        messages.error(request, str(error))
    return redirect(report)


@for_scripts_too
@require_safe
def report_download(request: HttpRequest, report_id: UUID) -> HttpResponseBase:
    """Returns the report as one file that opens offline; accepts an API token."""
    caller, report = caller_of(request), _report(request, report_id)
    context: dict[str, Any] = report_context(caller, report)
    response = StreamingHttpResponse(
        offline.report_file(caller, context["version"], context["blocks"]), content_type="text/html; charset=utf-8"
    )
    # A download opens as the reader's own file; when opened at this address it must not run as the portal.
    set_sandbox_headers(response, "sandbox; default-src 'none'")
    name = _UNSAFE.sub("-", report.title).strip("-.")[:80] or "report"
    response["Content-Disposition"] = f'attachment; filename="{name}-{report.number}.html"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def report_delete(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Deletes a report; the list offers to restore it."""
    report = report_changeable(request, report_id)
    services.report_delete(caller_of(request), report)
    request.session[_UNDO] = {"id": str(report.id), "title": report.title}
    return redirect("reports:report_list")


@require_POST
def report_undelete(request: HttpRequest) -> HttpResponse:
    """Restores the report that this browser deleted last."""
    undo = request.session.pop(_UNDO, None) or {}
    try:
        report = services.report_undelete(caller_of(request), undo.get("id", ""))
    except (NotAllowedError, NotFoundError) as error:
        messages.warning(request, str(error))
        return redirect("reports:report_list")
    messages.success(request, f"Restored: {report.title}")
    return redirect(report)


def _report(request: HttpRequest, report_id: UUID) -> Report:
    with service_errors_as_pages():
        return selectors.report_get(caller_of(request), report_id)
