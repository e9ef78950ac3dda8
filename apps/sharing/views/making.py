"""Pages for creating, renewing and revoking links."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.reports.models import Report
from apps.reports.selectors import report_get
from apps.sharing import selectors, services
from apps.sharing.addresses import embed_snippet, share_address
from apps.sharing.forms import PINNED, ShareForm
from apps.sharing.models import Share
from apps.sharing.selectors import Target
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError, VisualizationsError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.selectors import render_get, visualization_get
from apps.visualizations.views.errors import service_errors_as_pages

_PAGE: Final = 50
_MOST_SHOWN: Final = 20


@require_safe
def share_list(request: HttpRequest) -> HttpResponse:
    """Lists the person's links, newest first."""
    page = Paginator(selectors.shares_visible(caller_of(request)), _PAGE).get_page(request.GET.get("page"))
    return render(
        request, "sharing/share_list.html", {"page": page, "is_anonymous": settings.VIZPORTAL_SHARE_ANONYMOUS}
    )


def share_new(request: HttpRequest) -> HttpResponse:
    """Shows the form of a new link, or creates the link and shows its address this once."""
    caller = caller_of(request)
    shown, pinned = _named(request, caller)
    caller.require(Right.CREATE)
    form = ShareForm(request.POST or None, render_number=pinned.number if pinned else None)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        target = pinned if pinned is not None and values.get("what") == PINNED else shown
        try:
            share, token = services.share_create(
                caller, target, now=timezone.now(), days=values["days"], origins=values["origins"].split()
            )
            context = _made(request, share, token)
        except InvalidRequestError as error:
            field = next((name for name in error.fields if name in form.fields), None)
            form.add_error(field, str(error))
        except (NotAllowedError, NotFoundError) as error:
            raise Http404(str(error)) from error
    context |= {
        "form": form,
        "target": shown,
        "shares": selectors.shares_of(caller, shown)[:_MOST_SHOWN],
        "is_anonymous": settings.VIZPORTAL_SHARE_ANONYMOUS,
    }
    return render(request, "sharing/share_new.html", context, status=422 if form.errors else 200)


@require_POST
def share_action(request: HttpRequest, share_id: UUID, action: str) -> HttpResponse:
    """Revokes a link, or replaces its address."""
    caller = caller_of(request)
    try:
        share = selectors.share_get(caller, share_id)
        if action == "revoke":
            services.share_revoke(caller, share, now=timezone.now())
            messages.success(request, f"The link to {share.title} is revoked.")
            return redirect("sharing:share_list")
        if action == "renew":
            token = services.share_renew(caller, share, now=timezone.now())
            return render(request, "sharing/share_made.html", _made(request, share, token))
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    except VisualizationsError as error:
        messages.error(request, str(error))
        return redirect("sharing:share_list")
    raise Http404(f"A link has no action {action}.")


def _made(request: HttpRequest, share: Share, token: str) -> dict[str, Any]:
    link = share_address(request, token)
    return {"made": share, "link": link, "snippet": embed_snippet(link, share) if share.origins else ""}


def _named(request: HttpRequest, caller: Caller) -> tuple[Target, Render | None]:
    """Returns the target in the query, and the render of it that can be pinned."""
    with service_errors_as_pages():
        if "report" in request.GET:
            report: Report = report_get(caller, request.GET["report"])
            return report, None
        if "render" in request.GET:
            found = render_get(caller, request.GET["render"])
            return found.visualization, found
        visualization: Visualization = visualization_get(caller, request.GET.get("visualization", ""))
    return visualization, visualization.latest
