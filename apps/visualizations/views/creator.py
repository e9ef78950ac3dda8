"""The Creator and the saved results of a step, as a fragment of the step's page or a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import replace_url

from apps.accounts.caller import caller_of
from apps.runs.entities import RunDetails, Step
from apps.runs.exceptions import HIDDEN, ForbiddenError, RunsError
from apps.runs.exceptions import NotFoundError as RunsNotFoundError
from apps.runs.gateway import Gateway, gateway_for
from apps.visualizations import contexts, selectors
from apps.visualizations.creator_address import creator_address
from apps.visualizations.exceptions import NotFoundError, VisualizationsError
from apps.visualizations.forms import VisualizationForm
from apps.visualizations.services import submission

if TYPE_CHECKING:
    from django.http import HttpRequest

# For browsers without scripts; htmx gets a 200, since browsers log every other status as an error.
_INVALID = 422


@require_http_methods(["GET", "HEAD", "POST"])
def step_fragment(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Shows the Creator above the step's saved results; POST renders the request in the form.

    A link may preset `?artifact=`, `?type=`, and `?from=<render id>` to start from that render's arguments and code.
    """
    try:
        gateway = gateway_for(caller_of(request))
        details = gateway.run_details(run_id)
    except RunsNotFoundError as error:
        raise Http404(str(error)) from error
    except ForbiddenError as error:
        # Do not reveal whether another namespace has such a run.
        raise Http404(HIDDEN) from error
    except RunsError as error:
        return _endpoint_down(request, run_id, step_id, error)
    step = details.step(step_id)
    if step is None:
        raise Http404("This run has no such step.")
    if request.method == "POST":
        return _create(request, gateway, details, step)
    form = VisualizationForm(step, initial=_initial(request))
    return _answer(request, gateway, details, step, form)


@require_safe
def creator_form(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Returns the form after another artifact or type was chosen, keeping typed values that still fit."""
    try:
        details = gateway_for(caller_of(request)).run_details(run_id)
    except RunsError as error:
        raise Http404(str(error)) from error
    step = details.step(step_id)
    if step is None:
        raise Http404("This run has no such step.")
    form = VisualizationForm(step, initial=_initial(request))
    context = contexts.creator_context(caller_of(request), details, step, form)
    response = render_page(request, "visualizations/creator.html", context)
    return _addressed(request, response, step, form)


def _addressed(request: HttpRequest, response: HttpResponse, step: Step, form: VisualizationForm) -> HttpResponse:
    """Replaces the address of the step's page by one with the Creator's choices, so that it can be shared."""
    current = getattr(request.htmx, "current_url", None) or ""  # type: ignore[attr-defined]
    address = creator_address(current, step, form)
    return replace_url(response, address) if address else response


def _create(request: HttpRequest, gateway: Gateway, details: RunDetails, step: Step) -> HttpResponse:
    form = VisualizationForm(step, request.POST)
    if not form.is_valid():
        return _answer(request, gateway, details, step, form, status=_INVALID)
    try:
        made = submission.visualization_create(caller_of(request), form.to_request(details.run.id), gateway)
    except VisualizationsError as error:
        form.add_service_error(error)
        return _answer(request, gateway, details, step, form, status=_INVALID)
    except RunsError as error:
        form.add_error(None, str(error))
        return _answer(request, gateway, details, step, form, status=_INVALID)
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(made.visualization.get_absolute_url())
    if request.POST.get("one_click"):
        # Nobody filled in that form: reset the Creator to its initial state.
        form = VisualizationForm(step, initial={name: request.POST.get(name, "") for name in ("artifact", "type")})
    elif request.POST.get("edited"):
        # The next edit applies to the visualization that was just made.
        form.data = request.POST.copy()
        form.data["edited"] = str(made.render.id)
    return _answer(request, gateway, details, step, form, made=made)


def _answer(
    request: HttpRequest,
    gateway: Gateway,
    details: RunDetails,
    step: Step,
    form: VisualizationForm,
    *,
    made: submission.Submission | None = None,
    status: int = 200,
) -> HttpResponse:
    context = contexts.creator_context(caller_of(request), details, step, form)
    context |= contexts.step_results_context(request, gateway, details, step, made)
    if request.htmx:  # type: ignore[attr-defined]
        response = render_page(request, "visualizations/step_fragment.html", context)
        return _addressed(request, response, step, form) if request.method == "POST" else response
    return render_page(request, "visualizations/step_page.html", context, status=status)


def _endpoint_down(request: HttpRequest, run_id: str, step_id: str, error: RunsError) -> HttpResponse:
    context = contexts.saved_results_context(request, run_id=run_id, step_id=step_id)
    context |= {"error": str(error), "retry_url": reverse("visualizations:step_fragment", args=[run_id, step_id])}
    name = "step_fragment" if request.htmx else "step_page"  # type: ignore[attr-defined]
    return render_page(request, f"visualizations/{name}.html", context)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Returns initial values from a link or the form itself; arguments stay texts, as if typed into the fields."""
    given = request.GET
    initial: dict[str, Any] = _from_render(request, given.get("from", ""))
    for name in ("artifact", "type", "title", "arguments_view", "timeout_s", "environment", "edited"):
        if given.get(name):
            initial[name] = given[name]
    prefix = "arguments-"
    arguments = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
    if arguments:
        initial["arguments"] = arguments
    return initial


def _from_render(request: HttpRequest, render_id: str) -> dict[str, Any]:
    if not render_id:
        return {}
    try:
        old = selectors.render_get(caller_of(request), render_id)
    except NotFoundError:
        return {}
    chosen: dict[str, Any] = {
        "artifact": old.visualization.artifact_name,
        "type": old.visualization.type_key,
        "title": old.visualization.title,
        "arguments": old.arguments,
        "source": old.source_uri,
        "edited": str(old.id),
    }
    if old.is_custom:
        chosen |= {"code": old.code, "environment": old.environment}
        chosen |= {"failed_line": old.line, "failed_message": old.message} if old.line else {}
    return chosen
