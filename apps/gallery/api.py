"""API operations of comparisons."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import caller_of
from apps.gallery import selectors
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.api import pages, schemas, shapes
from apps.visualizations.api.errors import ApiError
from apps.visualizations.api.schemas import errors
from apps.visualizations.models import Visualization
from apps.visualizations.services.compared import MOST_RESULTS
from apps.visualizations.services.comparisons import COMPARISON_TYPE, comparison_create

router = Router(tags=["comparisons"])
PageSize = Annotated[int, Query(ge=1, le=200)]


class ComparisonIn(Schema):
    """What to compare: the latest renders of visualizations, and renders. The first is the reference for the others."""

    model_config = {"extra": "forbid"}

    visualizations: list[UUID] = Field(default_factory=list, max_length=MOST_RESULTS)
    renders: list[UUID] = Field(default_factory=list, max_length=MOST_RESULTS)
    arguments: dict[str, Any] | None = Field(None, description="Those of the type `comparison`: `key`, `highlight`.")
    title: str = Field("", max_length=200)
    force: bool = Field(default=False, description="Render again even if the same comparison is saved.")


class ComparedOut(Schema):
    """A result in a comparison."""

    render_id: UUID
    visualization_id: UUID
    title: str
    run_id: str
    run_name: str
    figures: list[schemas.FigureOut]
    url: str


class ComparisonOut(schemas.VisualizationOut):
    """A comparison: a visualization of type `comparison`."""

    results: list[ComparedOut] = Field(description="The compared results that still exist.")


class ComparisonPage(Schema):
    """A page of comparisons, newest first; `next` goes into `page_token`."""

    items: list[schemas.VisualizationOut]
    next: str | None


@router.get("", response={200: ComparisonPage, **errors(400)}, url_name="comparisons")
def comparisons_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists saved comparisons, newest first."""
    rows = visualization_selectors.visualization_list(caller_of(request), type_key=COMPARISON_TYPE)
    found, following = pages.page_cut(rows, page_size=page_size, page_token=page_token)
    return {"items": [shapes.visualization_shape(each) for each in found], "next": following}


@router.post(
    "", response={202: ComparisonOut, 200: ComparisonOut, **errors(400, 404, 429)}, url_name="comparison_create"
)
def comparison_save(request: HttpRequest, response: HttpResponse, payload: ComparisonIn) -> Any:
    """Compares results: 202 with a queued render, or 200 with the saved comparison of the same results."""
    caller = caller_of(request)
    ids = selectors.latest_renders(caller, payload.visualizations) + payload.renders
    made = comparison_create(caller, ids, title=payload.title, arguments=payload.arguments, force=payload.force)
    response["Location"] = reverse("api-1:render", args=[made.render.id])
    made.visualization.latest = made.render
    return Status(202 if made.is_new else 200, _shape(request, made.visualization))


@router.get("/{comparison_id}", response={200: ComparisonOut, **errors(404)}, url_name="comparison")
def comparison_get(request: HttpRequest, comparison_id: UUID) -> Any:
    """Returns a comparison with its latest render and the compared results."""
    found = visualization_selectors.visualization_get(caller_of(request), comparison_id)
    if found.type_key != COMPARISON_TYPE:
        raise ApiError(404, "not_found", "There is no such comparison.")
    return _shape(request, found)


def _shape(request: HttpRequest, comparison: Visualization) -> dict[str, Any]:
    results = [
        {
            "render_id": each.id,
            "visualization_id": each.visualization_id,
            "title": each.visualization.title,
            "run_id": each.visualization.run_id,
            "run_name": each.visualization.run_name,
            "figures": list(each.figures.all()),
            "url": each.get_absolute_url(),
        }
        for each in selectors.renders_of_comparison(caller_of(request), comparison)
    ]
    return shapes.visualization_shape(comparison) | {"results": results}
