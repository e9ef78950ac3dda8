"""What the API's answers hold. Addresses are paths on this portal; times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from ninja import Schema
from pydantic import Field

from apps.runs.entities import Artifact, Run, RunDetails, Step
from apps.visualizations import selectors
from apps.visualizations.catalogue.entities import VisualizationType
from apps.visualizations.models import Render, Visualization


class ErrorBody(Schema):
    """What went wrong; `fields` names the request's fields."""

    code: str
    message: str
    fields: dict[str, str] | None = None


class Error(Schema):
    """The one shape of every error."""

    error: ErrorBody


class ArtifactOut(Schema):
    """An artifact as one step saw it."""

    id: str
    name: str
    type: str
    uri: str
    direction: str
    metadata: dict[str, Any]


class StepOut(Schema):
    """A step of a run."""

    id: str
    name: str
    state: str
    kind: str
    parent_id: str | None
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    artifacts: list[ArtifactOut]


class RunOut(Schema):
    """A run."""

    id: str
    name: str
    state: str
    pipeline_id: str
    pipeline_name: str
    experiment_id: str
    created_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    parameters: dict[str, Any]
    error: str
    url: str
    visualizations: int = Field(0, description="How many are saved for this run.")


class RunDetailsOut(RunOut):
    """A run with its steps, parents before children."""

    steps: list[StepOut]


class RunPage(Schema):
    """A page of runs; `next` goes into `page_token`."""

    items: list[RunOut]
    next: str | None


class TypeOut(Schema):
    """A visualization type."""

    key: str
    title: str
    description: str
    environment: str
    artifact_types: list[str]
    patterns: list[str]
    arguments_schema: dict[str, Any] = Field(serialization_alias="schema")
    version: str
    is_custom: bool
    needs_source: bool


class TypePage(Schema):
    """Every type there is."""

    items: list[TypeOut]
    next: str | None = None


class RenderOut(Schema):
    """A render; `position` and `eta_s` only while it waits."""

    id: UUID
    visualization_id: UUID
    number: int
    state: str
    reason: str
    message: str
    traceback: str
    line: int | None
    position: int | None
    eta_s: float | None
    cell: int
    cells: int
    is_cancelling: bool
    arguments: dict[str, Any]
    type_version: str
    environment: str
    environment_lock: str
    sandbox: str
    source_uri: str
    source_digest: str
    receipt: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    timeout_s: float
    timings: dict[str, float]
    peak_memory_bytes: int | None
    html_bytes: int | None
    html_sha256: str
    url: str
    api_url: str
    content_url: str | None
    download_url: str | None
    notebook_url: str | None


class VisualizationOut(Schema):
    """A visualization with its latest render."""

    id: UUID
    title: str
    type: str
    endpoint: str
    run_id: str
    run_name: str
    pipeline_name: str
    step_id: str
    step_name: str
    artifact: str
    source: str
    owner: str
    created_at: datetime
    url: str
    api_url: str
    render: RenderOut | None


class VisualizationPage(Schema):
    """A page of visualizations, newest first; `next` goes into `page_token`."""

    items: list[VisualizationOut]
    next: str | None


class VisualizationIn(Schema):
    """What to visualize, and how."""

    model_config = {"extra": "forbid"}

    run_id: str = Field(max_length=200, min_length=1)
    step_id: str = Field(max_length=500, min_length=1)
    type: str = Field(max_length=100, description="A type's key, case ignored.")
    artifact: str = Field("", max_length=500, description="An artifact of the step, by name or id.")
    source: str = Field("", max_length=2048, description="A URI instead; an artifact's own, or one the portal allows.")
    arguments: dict[str, Any] = Field(default_factory=dict)
    code: str = Field("", description="For CUSTOM.")
    title: str = Field("", max_length=200)
    timeout_s: float | None = None
    endpoint: str = Field("", max_length=100)
    force: bool = Field(default=False, description="Render even where the same receipt has a saved result.")


class RerenderIn(Schema):
    """What to change; what is left out stays as in the latest render."""

    model_config = {"extra": "forbid"}

    arguments: dict[str, Any] | None = None
    code: str | None = None
    timeout_s: float | None = None


class QueueOut(Schema):
    """The queue: what runs, then what waits, in the order of its turn."""

    running: int
    queued: int
    oldest_wait_s: float
    items: list[RenderOut]
    next: str | None = None


def page_url(name: str, *args: Any) -> str:
    """Returns a page's path; "" where this installation does not have the page."""
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
    }


def details_shape(details: RunDetails, visualizations: int) -> dict[str, Any]:
    """Returns RunDetailsOut's values."""
    return run_shape(details.run, visualizations) | {"steps": [step_shape(step) for step in details.steps]}


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


def type_shape(kind: VisualizationType) -> dict[str, Any]:
    """Returns TypeOut's values."""
    names = ("key", "title", "description", "environment", "version", "is_custom", "needs_source")
    return {name: getattr(kind, name) for name in names} | {
        "artifact_types": list(kind.artifact_types),
        "patterns": list(kind.patterns),
        "arguments_schema": _plain(kind.schema),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


_RENDER_NAMES = (
    *("id", "visualization_id", "number", "state", "reason", "message", "traceback", "line", "cell", "cells"),
    *("is_cancelling", "arguments", "type_version", "environment", "environment_lock", "sandbox", "source_uri"),
    *("source_digest", "receipt", "created_at", "started_at", "finished_at", "timeout_s", "timings"),
    *("peak_memory_bytes", "html_bytes", "html_sha256"),
)


def render_shape(render: Render) -> dict[str, Any]:
    """Returns RenderOut's values."""
    place = selectors.queue_place(render)
    duration = render.duration
    return {name: getattr(render, name) for name in _RENDER_NAMES} | {
        "position": place.position if place else None,
        "eta_s": place.eta_s if place else None,
        "duration_s": round(duration.total_seconds(), 3) if duration else None,
        "url": page_url("visualizations:render_detail", render.visualization_id, render.number),
        "api_url": reverse("api-1:render", args=[render.id]),
        "content_url": render.content_url or None,
        "download_url": page_url("visualizations:render_download_html", render.id) if render.html else None,
        "notebook_url": page_url("visualizations:render_download_notebook", render.id) if render.notebook else None,
    }


def visualization_shape(visualization: Visualization, render: Render | None = None) -> dict[str, Any]:
    """Returns VisualizationOut's values, with `render` in the latest's place where one is given."""
    shown = render or visualization.latest
    names = ("id", "title", "run_id", "run_name", "pipeline_name", "step_id", "step_name", "created_at")
    return {name: getattr(visualization, name) for name in names} | {
        "type": visualization.type_key,
        "endpoint": visualization.endpoint_key,
        "artifact": visualization.artifact_name,
        "source": visualization.source_uri,
        "owner": visualization.owner.get_username() if visualization.owner else "",
        "url": page_url("visualizations:visualization_detail", visualization.id),
        "api_url": reverse("api-1:visualization", args=[visualization.id]),
        "render": render_shape(shown) if shown else None,
    }
