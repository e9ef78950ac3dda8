"""Kubeflow's objects other than runs: endpoints, pipelines and their versions, experiments, recurring runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One Kubeflow Pipelines API and how the portal calls it.

    Attributes:
        key: short name, used in URLs and stored with saved visualizations.
        host: base address without a trailing slash.
        namespace: the one whose lists are requested now; "" in single-user mode.
        title: the name for people; falls back to `key`.
        namespaces: those offered for selection; empty if Kubeflow is single-user.
    """

    key: str
    host: str
    namespace: str = ""
    title: str = ""
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of a pipeline, from its spec.

    Attributes:
        kind: string, integer, number, boolean, list or struct.
        default: a JSON value; None if there is no default (see `is_required`).
    """

    name: str
    kind: str
    default: Any = None
    is_required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An uploaded pipeline; its versions carry the specs. `tags` map names to texts, as the server keeps them."""

    id: str
    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineVersion:
    """One version of a pipeline. `spec` is the IR as a dict, empty if the list call omitted it."""

    id: str
    pipeline_id: str
    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A named group of runs."""

    id: str
    name: str
    description: str = ""
    created_at: datetime | None = None
    is_archived: bool = False
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringRun:
    """A schedule that starts runs of one pipeline.

    Attributes:
        is_enabled: None if Kubeflow does not say.
        cron: six fields, seconds first; "" if it runs at an interval.
        interval_s: seconds between two starts; None if it has a cron expression.
        starts_at, ends_at: no run is started outside this period; None for no limit.
        max_concurrency: how many of its runs may execute at the same time; None if Kubeflow does not say.
        catches_up: whether missed starts are made up for.
    """

    id: str
    name: str
    description: str = ""
    is_enabled: bool | None = None
    experiment_id: str = ""
    pipeline_id: str = ""
    pipeline_version_id: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cron: str = ""
    interval_s: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_concurrency: int | None = None
    catches_up: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
