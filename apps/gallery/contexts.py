"""The context of a visualization's page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from apps.accounts.caller import caller_of
from apps.gallery.changes import changes, figures_of
from apps.gallery.selectors import favourites_among, render_before, renders_of_comparison
from apps.preservation.selectors import run_copy_exists
from apps.runs.previews.texts import markdown
from apps.ui.formats import value_text
from apps.visualizations import selectors
from apps.visualizations.contexts import render_context
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.staleness import made_of_findings

if TYPE_CHECKING:
    from django.http import HttpRequest

TABS: Final = (("result", "Result"), ("code", "Code"), ("log", "Log"), ("history", "History"), ("receipt", "Receipt"))


def visualization_context(request: HttpRequest, visualization: Visualization, render: Render) -> dict[str, Any]:
    """Returns the context of a visualization's page for one of its renders."""
    tab = request.GET.get("tab", "result")
    renders = list(selectors.renders_of(caller_of(request), visualization)[:100])
    return render_context(request, render) | {
        **_neighbours(request, visualization),
        **_aside(request, visualization, render),
        "tab": tab if tab in dict(TABS) else "result",
        "tabs": TABS,
        "renders": renders,
        "is_latest": not renders or renders[0].id == render.id,
        "made_of_findings": made_of_findings(visualization, render) if not render.is_active else [],
        "arguments_json": json.dumps(render.arguments, indent=2),
        "is_page": True,
    }


def _neighbours(request: HttpRequest, visualization: Visualization) -> dict[str, Visualization | None]:
    """Returns the neighbours of a visualization in the gallery's order, newest first."""
    visible, at, own = selectors.visualizations_visible(caller_of(request)), visualization.created_at, visualization.id
    newer = visible.filter(Q(created_at__gt=at) | Q(created_at=at, id__lt=own)).order_by("created_at", "-id")
    older = visible.filter(Q(created_at__lt=at) | Q(created_at=at, id__gt=own)).order_by("-created_at", "id")
    return {"newer": newer.first(), "older": older.first()}


def _aside(request: HttpRequest, visualization: Visualization, render: Render) -> dict[str, Any]:
    """Returns the content beside the result: what it shows, and its key figures with their changes."""
    caller, recipe = caller_of(request), visualization.recipe
    own, before = figures_of(render), render_before(caller, render)
    baseline = recipe.baseline if recipe else None
    is_other = baseline is not None and baseline.id != visualization.id and baseline.deleted_at is None
    reference = baseline.latest if baseline is not None and is_other else None
    return {
        "before": before,
        "changes": changes(own, figures_of(before), own),
        "baseline": baseline if reference else None,
        "has_run_copy": run_copy_exists(caller, visualization),
        "compared": renders_of_comparison(caller, visualization),
        "is_baseline": baseline is not None and baseline.id == visualization.id,
        "baseline_changes": changes(own, figures_of(reference), own) if reference else [],
        "argument_words": [
            (name.replace("_", " "), value_text(value))
            for name, value in render.arguments.items()
            if value not in ("", None, [])
        ],
        "notes_html": markdown(visualization.notes) if visualization.notes else "",
        "is_favourite": visualization.id in favourites_among(caller, [visualization.id]),
        "supersedes": selectors.visualizations_visible(caller).filter(superseded_by=visualization).first(),
    }
