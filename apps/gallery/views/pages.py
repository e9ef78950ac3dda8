"""A visualization's page with its history and actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.gallery.contexts import visualization_context
from apps.gallery.services import favourite_set
from apps.runs.exceptions import RunsError
from apps.visualizations import contexts, provenance, selectors
from apps.visualizations.exceptions import NotAllowedError, NotFoundError, VisualizationsError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import cancellation, series, titles
from apps.visualizations.services.again import render_again
from apps.visualizations.views.errors import service_errors_as_pages

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
def visualization_detail(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Shows a visualization by its latest render."""
    visualization = _visualization(request, visualization_id)
    latest = visualization.latest or selectors.renders_of(caller_of(request), visualization).first()
    if latest is None:
        raise Http404("This visualization was never rendered.")
    return _show(request, visualization, latest)


@require_safe
def render_detail(request: HttpRequest, visualization_id: UUID, number: int) -> HttpResponse:
    """Shows one render of a visualization's history."""
    with service_errors_as_pages():
        render = selectors.render_by_number(caller_of(request), visualization_id, number)
    return _show(request, render.visualization, render)


@require_safe
def render_fragment(request: HttpRequest, render_id: UUID) -> HttpResponse:
    """Returns a render's current card, for pages that update it live."""
    render = _render(request, render_id)
    return render_page(request, "visualizations/render_card.html", contexts.render_context(request, render))


@require_POST
def visualization_note(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Changes a visualization's title, notes, tags, pin, favourite mark or baseline, whichever is submitted.

    `baseline=yes` makes it the baseline of its series.
    """
    caller, visualization = caller_of(request), _visualization(request, visualization_id)
    try:
        for name, change in _NOTES.items():
            if name in request.POST:
                change(caller, visualization, request.POST[name])
    except NotAllowedError as error:
        raise Http404(str(error)) from error
    except VisualizationsError as error:
        messages.error(request, str(error))
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(address if is_ours else visualization.get_absolute_url())


_NOTES: Final[dict[str, Callable[[Caller, Visualization, str], None]]] = {
    "title": titles.title_change,
    "notes": titles.notes_change,
    "tag": lambda caller, each, tag: titles.tags_change(caller, each, add=tag.split(",")),
    "untag": lambda caller, each, tag: titles.tags_change(caller, each, remove=[tag]),
    "pinned": lambda caller, each, value: titles.pin_set(caller, each, is_pinned=value == "yes"),
    "favourite": lambda caller, each, value: favourite_set(caller, each, is_favourite=value == "yes"),
    "baseline": lambda caller, each, value: series.baseline_set(caller, each, is_baseline=value == "yes"),
}


@require_POST
def visualization_again(request: HttpRequest, visualization_id: UUID) -> HttpResponse:
    """Renders again with the same arguments.

    `artifact=current` reads the artifact at its current URI; `whole=yes` reads the whole source instead of a sample.
    """
    visualization = _visualization(request, visualization_id)
    try:
        is_moved = request.POST.get("artifact") == "current"
        artifact = provenance.artifact_now(caller_of(request), visualization) if is_moved else None
        render = render_again(
            caller_of(request),
            visualization,
            artifact=artifact,
            is_whole=request.POST.get("whole") == "yes",
            gateway=provenance.gateway_of(caller_of(request), visualization),
        )
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    except (VisualizationsError, RunsError) as error:
        return _refused(request, visualization, str(error))
    if request.htmx:  # type: ignore[attr-defined]
        return render_page(request, "visualizations/render_card.html", contexts.render_context(request, render))
    return HttpResponseRedirect(visualization.get_absolute_url())


def _refused(request: HttpRequest, visualization: Visualization, reason: str) -> HttpResponse:
    """Shows why nothing was queued: in the requesting card, or above the page."""
    if request.htmx and visualization.latest:  # type: ignore[attr-defined]
        context = contexts.render_context(request, visualization.latest) | {"notice": reason}
        return render_page(request, "visualizations/render_card.html", context)
    messages.error(request, reason)
    return HttpResponseRedirect(visualization.get_absolute_url())


@require_POST
def render_cancel(request: HttpRequest, render_id: UUID) -> HttpResponse:
    """Cancels a queued or running render."""
    render = _render(request, render_id)
    try:
        render = cancellation.render_cancel(caller_of(request), render)
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    if request.htmx:  # type: ignore[attr-defined]
        return render_page(request, "visualizations/render_card.html", contexts.render_context(request, render))
    return HttpResponseRedirect(render.get_absolute_url())


def _show(request: HttpRequest, visualization: Visualization, render: Render) -> HttpResponse:
    context = visualization_context(request, visualization, render)
    return render_page(request, "visualizations/visualization.html", context)


def _visualization(request: HttpRequest, visualization_id: UUID) -> Visualization:
    with service_errors_as_pages():
        return selectors.visualization_get(caller_of(request), visualization_id)


def _render(request: HttpRequest, render_id: UUID) -> Render:
    with service_errors_as_pages():
        return selectors.render_get(caller_of(request), render_id)
