"""Schemas of runs, steps and artifacts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field


class ArtifactOut(Schema):
    """An artifact, as one step saw it."""

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


class PluginEntryOut(Schema):
    """One fact that a plugin reports about a run; `url` is empty if it is no link."""

    name: str
    value: str
    url: str


class PluginOut(Schema):
    """The result of a Kubeflow plugin, such as mlflow, for a run; `state` is that of the plugin's work."""

    name: str
    state: str
    message: str
    entries: list[PluginEntryOut]


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
    plugins: list[PluginOut]


class RunDetailsOut(RunOut):
    """A run with its steps, parents before children."""

    steps: list[StepOut]
    notice: str = Field("", description="What is missing, where lineage cannot be read; empty where all is known.")


class RunPage(Schema):
    """A page of runs; `next` goes into `page_token`."""

    items: list[RunOut]
    next: str | None
