"""The API's operations: each parses its input, calls a selector or a service, and answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.urls import re_path, reverse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Query, Status, Swagger
from ninja.errors import HttpError, ValidationError

from apps.accounts.caller import caller_of
from apps.runs import exceptions as runs_exceptions
from apps.runs import selectors as runs_selectors
from apps.runs.gateway import gateway_for
from apps.runs.run_filters import RunFilterForm
from apps.visualizations import exceptions, provenance, selectors
from apps.visualizations.api import errors as api_errors
from apps.visualizations.api import pages, run_schemas, schemas, shapes
from apps.visualizations.api.auth import BrowserAuth, TokenAuth
from apps.visualizations.api.bodies import StrictParser
from apps.visualizations.api.finite import FiniteRenderer
from apps.visualizations.api.parameters import form_parameters
from apps.visualizations.api.schemas import errors
from apps.visualizations.services import cancellation, staleness, submission
from apps.visualizations.services.again import render_again
from apps.visualizations.services.requests import VisualizationRequest, options_of
from apps.visualizations.states import RenderState

PageSize = Annotated[int, Query(ge=1, le=200)]
_STATUS = {
    exceptions.InvalidRequestError: 400,
    exceptions.SourceError: 400,
    exceptions.CustomOffError: 403,
    exceptions.NotAllowedError: 403,
    exceptions.NotFoundError: 404,
    exceptions.WrongStateError: 409,
    exceptions.TooManyQueuedError: 429,
}
# Kubeflow's refusal is answered like absence, so that nobody learns what exists beyond their permissions.
_RUNS_STATUS = {
    runs_exceptions.NotFoundError: (404, "not_found"),
    runs_exceptions.ForbiddenError: (404, "not_found"),
    runs_exceptions.NotSignedInError: (502, "kubeflow_sign_in"),
    runs_exceptions.EndpointDownError: (503, "endpoint_down"),
    runs_exceptions.InvalidRequestError: (400, "invalid"),
}


# Names of the framework's own views.
_DESCRIPTION = frozenset({"openapi-json", "openapi-view", "api-root"})


class PortalApi(NinjaAPI):
    """The API, with its own answers to unauthenticated callers and unknown paths."""

    @property
    def urls(self) -> Any:
        """URL patterns, exempt from the site's redirect to the sign-in page."""
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if pattern.callback is not None:
                # Ninja's description views accept every method; operations check theirs.
                is_description = pattern.name in _DESCRIPTION
                view = require_safe(pattern.callback) if is_description else pattern.callback
                pattern.callback = api_errors.open_view(view)
        rest = re_path(r"^(?P<path>.*)$", api_errors.open_view(api_errors.unknown_address), name="unknown")
        return [*patterns, rest], app_name, namespace


api = PortalApi(
    title="vizportal",
    version="1",
    urls_namespace="api-1",
    description="Runs of Kubeflow Pipelines, and visualizations of their artifacts.",
    auth=[TokenAuth(), BrowserAuth()],
    parser=StrictParser(),
    renderer=FiniteRenderer(),
    # Swagger's validator badge would call a server on the Internet.
    docs=Swagger(settings={"validatorUrl": None, "persistAuthorization": False}),
)
api.add_exception_handler(HttpError, api_errors.http_error_answer)
api.add_exception_handler(ValidationError, api_errors.validation_answer)
api.add_exception_handler(RequestDataTooBig, api_errors.too_big_answer)
api.add_exception_handler(PermissionDenied, api_errors.forbidden_answer)
api.add_exception_handler(Exception, api_errors.broken_answer)


@api.exception_handler(api_errors.ApiError)
def _api_error(_request: HttpRequest, error: api_errors.ApiError) -> HttpResponse:
    return api_errors.error_response(error.status, error.code, str(error), error.fields)


@api.exception_handler(exceptions.VisualizationsError)
def _visualizations_error(_request: HttpRequest, error: exceptions.VisualizationsError) -> HttpResponse:
    fields = error.fields if isinstance(error, exceptions.InvalidRequestError) else None
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    return api_errors.error_response(status, error.code, str(error), fields)


@api.exception_handler(runs_exceptions.RunsError)
def _runs_error(_request: HttpRequest, error: runs_exceptions.RunsError) -> HttpResponse:
    found = (answer for kind, answer in _RUNS_STATUS.items() if isinstance(error, kind))
    status, code = next(found, (502, "endpoint_error"))
    return api_errors.error_response(status, code, str(error))


@api.get(
    "/runs",
    response={200: run_schemas.RunPage, **errors(400, 404, 502)},
    tags=["runs"],
    url_name="runs",
    openapi_extra={"parameters": form_parameters(RunFilterForm)},
)
def runs_list(
    request: HttpRequest,
    endpoint: str = "",
    namespace: str = "",  # noqa: ARG001  (the middleware reads it)
    page_size: PageSize = 20,
    page_token: str = "",
) -> Any:
    """Lists runs, newest first, with the same filters as the run list's page."""
    form = RunFilterForm(request.GET)
    if wrong := form.api_errors():
        raise api_errors.ApiError(400, "invalid", "The request is not valid.", wrong)
    gateway = gateway_for(caller_of(request), endpoint)
    filters = replace(form.filters(), page_size=page_size, page_token=page_token)
    page = runs_selectors.runs_list(caller_of(request), gateway, filters)
    counts = selectors.visualization_counts(caller_of(request), [run.id for run in page.items])
    items = [shapes.run_shape(run, counts.get(run.id, 0)) for run in page.items]
    return {"items": items, "next": page.next_token or None}


@api.get(
    "/runs/{run_id}", response={200: run_schemas.RunDetailsOut, **errors(400, 404, 502)}, tags=["runs"], url_name="run"
)
def run_get(request: HttpRequest, run_id: str, endpoint: str = "") -> Any:
    """Returns a run with its steps and their artifacts."""
    details = gateway_for(caller_of(request), endpoint).run_details(run_id)
    count = selectors.visualization_counts(caller_of(request), [run_id]).get(run_id, 0)
    return shapes.details_shape(details, count)


@api.get("/states", response={200: schemas.StatesOut, **errors()}, tags=["runs", "renders"], url_name="states")
def states_list(request: HttpRequest) -> Any:  # noqa: ARG001
    """Returns the states of runs, steps and renders, and the reasons for which a render may end without a result."""
    return shapes.states_shape()


@api.get(
    "/types", response={200: schemas.TypePage, **errors()}, by_alias=True, tags=["visualizations"], url_name="types"
)
def types_list(request: HttpRequest) -> Any:  # noqa: ARG001
    """Lists the visualization types with the schemas of their arguments."""
    return {"items": [shapes.type_shape(kind) for kind in selectors.type_list()]}


@api.get(
    "/visualizations",
    response={200: schemas.VisualizationPage, **errors(400)},
    tags=["visualizations"],
    url_name="visualizations",
)
def visualizations_list(
    request: HttpRequest,
    q: str = "",
    type: str = "",  # noqa: A002  (the query parameter's name)
    state: RenderState | None = None,
    pipeline: str = "",
    run_id: str = "",
    step_id: str = "",
    owner: str = "",
    page_size: PageSize = 50,
    page_token: str = "",
) -> Any:
    """Lists saved visualizations, newest first."""
    rows = selectors.visualization_list(
        caller_of(request),
        text=q,
        type_key=type,
        state=state or "",
        pipeline_name=pipeline,
        run_id=run_id,
        step_id=step_id,
        owner=owner,
    )
    found, following = pages.page_cut(rows, page_size=page_size, page_token=page_token)
    return {"items": [shapes.visualization_shape(each) for each in found], "next": following}


@api.post(
    "/visualizations",
    response={202: schemas.VisualizationOut, 200: schemas.VisualizationOut, **errors(400, 404, 429, 502)},
    tags=["visualizations"],
    url_name="visualization_create",
)
def visualization_create(request: HttpRequest, response: HttpResponse, payload: schemas.VisualizationIn) -> Any:
    """Requests a visualization: 202 with a queued render, or 200 with a saved result of the same receipt."""
    order = VisualizationRequest(
        type_key=payload.type,
        run_id=payload.run_id,
        step_id=payload.step_id,
        artifact_name=payload.artifact or "",
        source=payload.source or "",
        arguments=payload.arguments or {},
        code=payload.code or "",
        title=payload.title or "",
        options=options_of(payload.model_dump()),
        force=payload.force,
        is_sample=payload.sample,
        environment=payload.environment or "",
    )
    gateway = gateway_for(caller_of(request), payload.endpoint or "")
    made = submission.visualization_create(caller_of(request), order, gateway)
    response["Location"] = reverse("api-1:render", args=[made.render.id])
    return Status(202 if made.is_new else 200, shapes.visualization_shape(made.visualization, made.render))


@api.get(
    "/visualizations/{visualization_id}",
    response={200: schemas.VisualizationOut, **errors(404)},
    tags=["visualizations"],
    url_name="visualization",
)
def visualization_get(request: HttpRequest, visualization_id: UUID) -> Any:
    """Returns a visualization with its latest render."""
    return shapes.visualization_shape(selectors.visualization_get(caller_of(request), visualization_id))


@api.get(
    "/visualizations/{visualization_id}/changes",
    response={200: schemas.ChangePage, **errors(404)},
    tags=["visualizations"],
    url_name="visualization_changes",
)
def visualization_changes(request: HttpRequest, visualization_id: UUID) -> Any:
    """Returns what has changed since the latest render: data, artifact, type, environment or run."""
    visualization = selectors.visualization_get(caller_of(request), visualization_id)
    findings = staleness.visualization_findings(caller_of(request), visualization)
    items = [{"code": each.code, "message": each.message} for each in findings]
    return {"items": items, "outdated": staleness.is_outdated(findings)}


@api.delete("/visualizations/{visualization_id}", response={204: None, **errors(404)}, tags=["visualizations"])
def visualization_delete(request: HttpRequest, visualization_id: UUID) -> Any:
    """Deletes a visualization with its renders and files."""
    visualization = selectors.visualization_get(caller_of(request), visualization_id)
    cancellation.visualization_delete(caller_of(request), visualization)
    return Status(204, None)


@api.post(
    "/visualizations/{visualization_id}/rerender",
    response={202: schemas.VisualizationOut, **errors(400, 404, 409, 429)},
    tags=["visualizations"],
    url_name="visualization_rerender",
)
def visualization_rerender(
    request: HttpRequest, visualization_id: UUID, payload: schemas.RerenderIn | None = None
) -> Any:
    """Renders a visualization again, with the current version of its type."""
    visualization = selectors.visualization_get(caller_of(request), visualization_id)
    changes = payload or schemas.RerenderIn()
    render = render_again(
        caller_of(request),
        visualization,
        arguments=changes.arguments,
        code=changes.code,
        options=options_of(changes.model_dump()),
        gateway=provenance.gateway_of(caller_of(request), visualization),
    )
    return Status(202, shapes.visualization_shape(visualization, render))


@api.get(
    "/series/{series_id}", response={200: schemas.SeriesOut, **errors(400, 404)}, tags=["series"], url_name="series"
)
def series_get(request: HttpRequest, series_id: UUID, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Returns the visualizations of a series with their key figures, newest run first."""
    recipe = selectors.recipe_get(caller_of(request), series_id)
    rows = selectors.series_list(caller_of(request), recipe)
    found, following = pages.page_at(rows, page_size=page_size, page_token=page_token)
    return shapes.series_shape(recipe, found, following)


@api.get("/renders/{render_id}", response={200: schemas.RenderOut, **errors(404)}, tags=["renders"], url_name="render")
def render_get(request: HttpRequest, render_id: UUID) -> Any:
    """Returns a render: its state, its progress, and the address of its result."""
    return shapes.render_shape(selectors.render_get(caller_of(request), render_id))


@api.post(
    "/renders/{render_id}/cancel",
    response={200: schemas.RenderOut, **errors(400, 404)},
    tags=["renders"],
    url_name="render_cancel",
)
def render_cancel(request: HttpRequest, render_id: UUID) -> Any:
    """Cancels a render. An ended render stays as it is, so repeated calls are harmless."""
    render = cancellation.render_cancel(caller_of(request), selectors.render_get(caller_of(request), render_id))
    return shapes.render_shape(render)


@api.get("/queue", response={200: schemas.QueueOut, **errors()}, tags=["renders"], url_name="queue")
def queue_get(request: HttpRequest) -> Any:
    """Returns how many renders run and wait, and those that you may see."""
    counts = selectors.queue_counts()
    rows = list(selectors.queue_list(caller_of(request))[:100])
    places: dict[UUID, selectors.QueuePlace] = {}
    for environment in {each.environment for each in rows}:
        places |= selectors.queue_places(environment)
    # Running renders have no place and come first; the others are in the order of their turns.
    rows.sort(key=lambda each: places[each.id].position if each.id in places else 0)
    items = [shapes.render_shape(each, places) for each in rows]
    return counts | {"oldest_wait_s": round(selectors.oldest_wait_s(), 1), "items": items}
