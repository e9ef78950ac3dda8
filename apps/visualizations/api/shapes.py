"""Converts rows and entities into values of the API's schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from vizkit.types.entities import VisualizationType

from apps.runs.entities import Artifact, Run, RunDetails, State, Step
from apps.visualizations import selectors
from apps.visualizations.models import Recipe, Render, RenderFigure, Visualization
from apps.visualizations.states import Reason, RenderState


def page_url(name: str, *args: Any) -> str:
    """Returns a page's path; "" if this installation lacks the page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def run_shape(run: Run, visualizations: int = 0) -> dict[str, Any]:
    """Returns RunOut's values."""
    names = ("id", "name", "pipeline_id", "pipeline_name", "experiment_id", "created_at", "finished_at", "error")
    return {name: getattr(run, name) for name in names} | {
        "state": str(run.state),
        "duration_s": run.duration.total_seconds() if run.duration else None,
        "parameters": dict(run.parameters),
        "url": page_url("runs:run_detail", run.id),
        "visualizations": visualizations,
        "plugins": [asdict(plugin) | {"state": str(plugin.state)} for plugin in run.plugins],
    }


def details_shape(details: RunDetails, visualizations: int) -> dict[str, Any]:
    """Returns RunDetailsOut's values."""
    steps = [step_shape(step) for step in details.steps]
    return run_shape(details.run, visualizations) | {"steps": steps, "notice": details.notice}


def step_shape(step: Step) -> dict[str, Any]:
    """Returns StepOut's values."""
    names = ("id", "name", "parent_id", "started_at", "finished_at", "error")
    return {name: getattr(step, name) for name in names} | {
        "state": str(step.state),
        "kind": str(step.kind),
        "inputs": dict(step.inputs),
        "outputs": dict(step.outputs),
        "artifacts": [artifact_shape(artifact) for artifact in step.artifacts],
    }


def artifact_shape(artifact: Artifact) -> dict[str, Any]:
    """Returns ArtifactOut's values."""
    names = ("id", "name", "type", "uri", "direction")
    return {name: getattr(artifact, name) for name in names} | {"metadata": dict(artifact.metadata)}


def states_shape() -> dict[str, Any]:
    """Returns StatesOut's values."""
    return {"run_states": list(State), "render_states": list(RenderState), "reasons": list(Reason)}


def type_shape(kind: VisualizationType) -> dict[str, Any]:
    """Returns TypeOut's values."""
    names = ("key", "title", "description", "environment", "version", "is_custom", "needs_source")
    return {name: getattr(kind, name) for name in names} | {
        "artifact_types": list(kind.artifact_types),
        "patterns": list(kind.patterns),
        "arguments_schema": _plain(kind.schema),
        "figures": list(kind.figures),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


_RENDER_NAMES = (
    *("id", "visualization_id", "number", "state", "reason", "message", "traceback", "line", "cell", "cells"),
    *("is_cancelling", "arguments", "type_version", "environment", "environment_lock", "sandbox", "source_uri"),
    *("dependencies", "sample_rows"),
    *("source_digest", "receipt", "created_at", "started_at", "finished_at", "timeout_s", "timings"),
    *("peak_memory_bytes", "html_bytes", "html_sha256"),
)


def render_shape(render: Render, places: Mapping[UUID, selectors.QueuePlace] | None = None) -> dict[str, Any]:
    """Returns RenderOut's values.

    Args:
        places: of all waiting renders; None looks up this render's.
    """
    place = selectors.queue_place(render) if places is None else places.get(render.id)
    duration = render.duration
    return {name: getattr(render, name) for name in _RENDER_NAMES} | {
        "position": place.position if place else None,
        "eta_s": place.eta_s if place else None,
        "duration_s": round(duration.total_seconds(), 3) if duration else None,
        "figures": _figures(render),
        "url": page_url("visualizations:render_detail", render.visualization_id, render.number),
        "api_url": reverse("api-1:render", args=[render.id]),
        "content_url": render.content_url or None,
        "download_url": page_url("visualizations:render_download_html", render.id) if render.html else None,
        "notebook_url": page_url("visualizations:render_download_notebook", render.id) if render.notebook else None,
    }


def _figures(render: Render) -> list[RenderFigure]:
    """Returns a render's key figures; only succeeded renders have any."""
    return list(render.figures.all()) if render.state == RenderState.SUCCEEDED else []


def series_shape(recipe: Recipe, rows: Iterable[Visualization], following: str | None) -> dict[str, Any]:
    """Returns SeriesOut's values."""
    names = ("id", "pipeline_name", "step_id", "part", "arguments", "code", "sample_rows", "baseline_id", "created_at")
    return {name: getattr(recipe, name) for name in names} | {
        "type": recipe.type_key,
        "endpoint": recipe.endpoint_key,
        "artifact": recipe.artifact_name,
        "items": [visualization_shape(each) for each in rows],
        "next": following,
    }


def visualization_shape(visualization: Visualization, render: Render | None = None) -> dict[str, Any]:
    """Returns VisualizationOut's values, with `render` instead of the latest one if given."""
    shown = render or visualization.latest
    names = (
        "id",
        "title",
        "run_id",
        "run_name",
        "pipeline_name",
        "step_id",
        "step_name",
        "created_at",
        "run_created_at",
    )
    return {name: getattr(visualization, name) for name in names} | {
        "type": visualization.type_key,
        "endpoint": visualization.endpoint_key,
        "artifact": visualization.artifact_name,
        "series_id": visualization.recipe_id,
        "source": visualization.source_uri,
        "owner": visualization.owner.get_username() if visualization.owner else "",
        "url": page_url("visualizations:visualization_detail", visualization.id),
        "api_url": reverse("api-1:visualization", args=[visualization.id]),
        "figures": _figures(shown) if shown else [],
        "render": render_shape(shown) if shown else None,
    }
