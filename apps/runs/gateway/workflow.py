"""Reads a run of KFP 1.x: its Argo Workflow, which the v1beta1 API returns as JSON text, and its metrics.

Sources of the formats: Argo Workflows, pkg/apis/workflow/v1alpha1 (NodeStatus); kubeflow/pipelines,
backend/api/v1beta1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from apps.runs import exceptions
from apps.runs.entities import Run, Step
from apps.runs.gateway import connection as http
from apps.runs.gateway import workflow_steps
from apps.runs.gateway.connection import Connection

_MOST_METRICS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyRun:
    """A run as the v1beta1 API returns it.

    Attributes:
        manifest: the Workflow; empty if there is none.
        metrics: numbers by name, by node id.
    """

    manifest: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The Workflow's own message, which explains why a Workflow without steps never began; "" for none."""
        status = self.manifest.get("status")
        message = status.get("message") if isinstance(status, dict) else ""
        return f"Its workflow says: {message}" if message else ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The run's steps; empty if none has started."""
        return workflow_steps.build_steps(self.manifest, self.metrics)


def read_run(connection: Connection, run: Run) -> LegacyRun:
    """Returns a run as the v1beta1 API returns it.

    Raises:
        RunsError: no answer, or the answer is not a run.
    """
    body = http.read_json_text(connection, f"/apis/v1beta1/runs/{quote(run.id, safe='')}", {})
    try:
        answer = json.loads(body)
        runtime = answer.get("pipeline_runtime") or {}
        text = runtime.get("workflow_manifest") or ""
        manifest = json.loads(text) if text else {}
        metrics = (answer.get("run") or {}).get("metrics")
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        host = connection.endpoint.host
        raise exceptions.EndpointError(f"Kubeflow at {host} has no readable workflow of this 1.x run.") from error
    return LegacyRun(manifest=manifest if isinstance(manifest, dict) else {}, metrics=_metrics(metrics))


def _metrics(listed: Any) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for item in (listed if isinstance(listed, list) else [])[:_MOST_METRICS]:
        if not isinstance(item, dict) or not item.get("name"):
            continue
        # Protobuf's JSON omits a zero.
        value = item.get("number_value", 0)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.setdefault(str(item.get("node_id", "")), {})[str(item["name"])] = value
    return found
