"""Pages that compare results side by side, and follow one result over all runs of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.gallery import selectors
from apps.gallery.changes import changes, figures_of, sparkline
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.models import Visualization
from apps.visualizations.services.compared import MOST_RESULTS
from apps.visualizations.services.comparisons import comparison_create
from apps.visualizations.states import RenderState
from apps.visualizations.views.errors import service_errors_as_pages

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_COMPARED: Final = 12
MOST_IN_SERIES: Final = 200
_MOST_FIGURES: Final = 20


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Compares renders with the first: `?v=<visualization>` or `?r=<render>`, repeatable."""
    renders = selectors.renders_compared(
        caller_of(request), request.GET.getlist("v"), request.GET.getlist("r"), MOST_COMPARED
    )
    figures = [figures_of(each) for each in renders]
    names = list(dict.fromkeys(name for each in figures for name in each))[:_MOST_FIGURES]
    first = figures[0] if figures else {}
    columns = [
        {"render": each, "visualization": each.visualization, "figures": own, "is_first": not index}
        for index, (each, own) in enumerate(zip(renders, figures, strict=True))
    ]
    table = [(name, _declared(figures, name), [changes(own, first, [name])[0] for own in figures]) for name in names]
    asked = len(request.GET.getlist("v")) + len(request.GET.getlist("r"))
    context = {
        "columns": columns,
        "table": table,
        "missing": asked - len(renders),
        "most": MOST_COMPARED,
        "may_save": caller_of(request).may(Right.CREATE),
    }
    return render_page(request, "visualizations/compare.html", context)


@require_POST
def comparison_save(request: HttpRequest) -> HttpResponse:
    """Saves a comparison of the named renders, and redirects to its page, which follows the render."""
    caller, asked = caller_of(request), request.POST.getlist("r")
    renders = selectors.renders_compared(caller, [], asked, MOST_RESULTS)
    key = [name.strip() for name in request.POST.get("key", "").split(",")]
    try:
        made = comparison_create(
            caller, [each.id for each in renders], arguments={"key": [name for name in key if name]}
        )
    except VisualizationsError as error:
        messages.error(request, str(error))
        query = urlencode([("r", each) for each in asked[:MOST_COMPARED]])
        return HttpResponseRedirect(f"{reverse('visualizations:compare')}?{query}")
    return HttpResponseRedirect(made.visualization.get_absolute_url())


def _declared(figures: list[dict[str, Any]], name: str) -> Any:
    return next(each[name] for each in figures if name in each)


@require_safe
def series(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """Shows a series: the chosen run's result, and a line over the runs for each key figure."""
    caller = caller_of(request)
    with service_errors_as_pages():
        recipe = visualization_selectors.recipe_get(caller, series_id)
    rows = selectors.series_rows(caller, recipe, MOST_IN_SERIES + 1)
    is_all, rows = len(rows) <= MOST_IN_SERIES, rows[:MOST_IN_SERIES]
    chosen = _chosen(rows, request.GET.get("v", ""))
    figures = [figures_of(each.latest) for each in rows]
    place = rows.index(chosen)
    baseline = next((each for each in rows if each.id == recipe.baseline_id), None)
    before = baseline if baseline and baseline != chosen else next(iter(rows[place + 1 :]), None)
    names = list(dict.fromkeys(name for each in figures for name in each))[:_MOST_FIGURES]
    context = {
        "recipe": recipe,
        "rows": [
            {"visualization": each, "figures": [own.get(name) for name in names], "is_chosen": each == chosen}
            for each, own in zip(rows, figures, strict=True)
        ],
        "names": names,
        "chosen": chosen,
        "position": len(rows) - place,
        "newer": rows[place - 1] if place else None,
        "older": rows[place + 1] if place + 1 < len(rows) else None,
        "before": before,
        "changes": changes(figures[place], figures_of(before.latest) if before else {}, names),
        "lines": [line for name in names if (line := _line(name, figures[::-1]))],
        "oldest_first": rows[::-1],
        "place": len(rows) - 1 - place,
        "is_all": is_all,
        "most": MOST_IN_SERIES,
        "baseline": baseline,
        "may_change": caller.may_change(chosen.owner_id),
        "good": [each.latest_id for each in rows[::-1] if each.latest_id and each.outcome == RenderState.SUCCEEDED],
        "may_save": caller.may(Right.CREATE),
        "type_title": next(
            (each.title for each in visualization_selectors.type_list() if each.key == recipe.type_key), recipe.type_key
        ),
    }
    return render_page(request, "visualizations/series.html", context)


def _line(name: str, figures: list[dict[str, Any]]) -> Any:
    return sparkline(
        name, _declared(figures, name).unit, [each[name].value if name in each else None for each in figures]
    )


def _chosen(rows: list[Visualization], asked: str) -> Visualization:
    """Returns the requested visualization, else the newest with a result."""
    named = (each for each in rows if str(each.id) == asked)
    good = (each for each in rows if each.latest and each.latest.html)
    return next(named, None) or next(good, rows[0])
