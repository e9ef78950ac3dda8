"""The API's request and response schemas. Addresses are paths on this portal; times are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class ErrorBody(Schema):
    """What went wrong; `fields` has a message for each wrong field of the request."""

    code: str
    message: str
    fields: dict[str, str] | None = None


class Error(Schema):
    """The format of every error."""

    error: ErrorBody


# Every operation can answer these: not signed in; account or site not allowed; a backend does not answer.
_EVERYWHERE = (401, 403, 503)


def errors(*codes: int) -> dict[int, type[Error]]:
    """Returns an operation's error responses for the description: these codes and those common to all operations.

    Internal errors (500) are not described.
    """
    return dict.fromkeys(sorted({*codes, *_EVERYWHERE}), Error)


class RunStateOut(Schema):
    """A state of runs or steps."""

    value: str
    label: str
    icon: str
    tone: str = Field(description="Its colour: ok, bad, busy, warn or idle.")
    is_final: bool
    is_active: bool
    severity: int = Field(description="The smallest is the worst.")
    is_selectable: bool = Field(description="Whether runs can be listed by it.")


class RenderStateOut(Schema):
    """A state of renders."""

    value: str
    label: str
    icon: str
    tone: str
    is_final: bool


class ReasonOut(Schema):
    """Why a render ended without a result."""

    value: str
    label: str
    advice: str
    state: str = Field(description="The render's state after it.")
    is_machine_fault: bool
    is_tried_again: bool = Field(description="Whether a render without custom code gets one more attempt.")


class StatesOut(Schema):
    """All states and reasons."""

    run_states: list[RunStateOut]
    render_states: list[RenderStateOut]
    reasons: list[ReasonOut]


class FigureOut(Schema):
    """A key figure of a render."""

    name: str
    value: float
    unit: str
    better: str = Field(description="higher, lower or none.")


class DeclaredFigureOut(Schema):
    """A key figure that a type leaves with its results."""

    name: str
    unit: str
    better: str = Field(description="higher, lower or none.")
    description: str


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
    figures: list[DeclaredFigureOut]


class TypePage(Schema):
    """All types."""

    items: list[TypeOut]
    next: str | None = None


class RenderOut(Schema):
    """A render; `position` and `eta_s` are set only while it waits."""

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
    dependencies: list[str]
    sample_rows: int | None
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
    figures: list[FigureOut]
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
    series_id: UUID | None = Field(description="The same picture of other runs: `/series/{id}`; null for none.")
    run_created_at: datetime | None
    source: str
    owner: str
    created_at: datetime
    url: str
    api_url: str
    figures: list[FigureOut] = Field(description="Those of `render`.")
    render: RenderOut | None


class VisualizationPage(Schema):
    """A page of visualizations, newest first; `next` goes into `page_token`."""

    items: list[VisualizationOut]
    next: str | None


class ChangeOut(Schema):
    """One change since the latest render."""

    code: str = Field(
        description="artifact_moved, source_changed, source_missing, type_changed, type_gone, environment_changed, "
        "run_gone, or unknown."
    )
    message: str


class ChangePage(Schema):
    """All changes since the latest render."""

    items: list[ChangeOut]
    outdated: bool = Field(description="Whether rendering again would help.")
    next: str | None = None


class SeriesOut(Schema):
    """A recipe and the visualizations of its series, those of the newest run first."""

    id: UUID
    type: str
    endpoint: str
    pipeline_name: str
    step_id: str
    artifact: str
    part: str = Field(description="Names below the artifact's folder, or the URI named instead of an artifact.")
    arguments: dict[str, Any]
    code: str
    sample_rows: int | None
    baseline_id: UUID | None = Field(description="The visualization that the others are compared with.")
    created_at: datetime
    items: list[VisualizationOut]
    next: str | None


class RenderOptionsIn(Schema):
    """Options of a render; an omitted option has its default, or its value in the latest render."""

    timeout_s: float | None = None


class VisualizationIn(RenderOptionsIn):
    """What to visualize, and how."""

    model_config = {"extra": "forbid"}

    run_id: str = Field(
        "", max_length=200, description="Left out with step_id: only for what the portal may read anyway."
    )
    step_id: str = Field("", max_length=500)
    type: str = Field(max_length=100, description="A type's key, case ignored.")
    artifact: str | None = Field(None, max_length=500, description="An artifact of the step, by name or id.")
    source: str | None = Field(
        None, max_length=2048, description="A URI instead; an artifact's own, or one the portal allows."
    )
    arguments: dict[str, Any] | None = None
    code: str | None = Field(None, description="For CUSTOM.")
    title: str | None = Field(None, max_length=200)
    endpoint: str | None = Field(None, max_length=100)
    force: bool = Field(default=False, description="Render again even if a saved result has the same receipt.")
    sample: bool = Field(default=False, description="Try it on the first 1,000 rows of each table.")
    environment: str | None = Field(None, max_length=50, description="For CUSTOM; by default what its code says.")


class RerenderIn(RenderOptionsIn):
    """Changes for the next render; omitted fields keep their values from the latest render."""

    model_config = {"extra": "forbid"}

    arguments: dict[str, Any] | None = None
    code: str | None = None


class QueueOut(Schema):
    """The queue: running renders, then waiting ones in the order of their turns."""

    running: int
    queued: int
    oldest_wait_s: float
    items: list[RenderOut]
    next: str | None = None
