"""Turns the REST API's models into entities. A damaged row has None everywhere: every field is read with
care.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from apps.runs.entities import Experiment, Pipeline, PipelineVersion, Run, State
from apps.runs.gateway import spec as specs
from apps.runs.gateway.numbers import whole

STATES: Final = {
    "PENDING": State.PENDING,
    "PAUSED": State.PENDING,
    "RUNNING": State.RUNNING,
    "CANCELING": State.RUNNING,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "CANCELED": State.CANCELLED,
    "SKIPPED": State.SKIPPED,
}
API_STATES: Final = {
    State.PENDING: ("PENDING", "PAUSED"),
    State.RUNNING: ("RUNNING", "CANCELING"),
    State.SUCCEEDED: ("SUCCEEDED",),
    State.FAILED: ("FAILED",),
    State.CANCELLED: ("CANCELED",),
    State.SKIPPED: ("SKIPPED",),
}


def moment(value: Any) -> datetime | None:
    """Returns a time in UTC; None for nothing, and for 1970, which is how the API writes "not yet"."""
    if not isinstance(value, datetime) or value.year <= 1970:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def state_of(value: Any) -> State:
    """Returns the state; UNKNOWN for one this portal has never heard of."""
    return STATES.get(str(value or "").upper(), State.UNKNOWN)


def pipeline(model: Any) -> Pipeline:
    """Reads a V2beta1Pipeline."""
    return Pipeline(
        id=model.pipeline_id or "",
        name=model.display_name or model.pipeline_id or "",
        description=model.description or "",
        created_at=moment(model.created_at),
    )


def pipeline_version(model: Any) -> PipelineVersion:
    """Reads a V2beta1PipelineVersion."""
    return PipelineVersion(
        id=model.pipeline_version_id or "",
        pipeline_id=model.pipeline_id or "",
        name=model.display_name or model.pipeline_version_id or "",
        description=model.description or "",
        created_at=moment(model.created_at),
        spec=specs.unwrap(model.pipeline_spec),
    )


def experiment(model: Any) -> Experiment:
    """Reads a V2beta1Experiment."""
    return Experiment(
        id=model.experiment_id or "",
        name=model.display_name or model.experiment_id or "",
        description=model.description or "",
        created_at=moment(model.created_at),
        is_archived=model.storage_state == "ARCHIVED",
    )


def run(model: Any) -> Run:
    """Reads a V2beta1Run."""
    reference, config = model.pipeline_version_reference, model.runtime_config
    spec = specs.unwrap(model.pipeline_spec)
    state = state_of(model.state)
    return Run(
        id=model.run_id or "",
        name=model.display_name or model.run_id or "",
        state=state,
        experiment_id=model.experiment_id or "",
        pipeline_id=(reference.pipeline_id if reference else None) or "",
        pipeline_version_id=(reference.pipeline_version_id if reference else None) or model.pipeline_version_id or "",
        pipeline_name=specs.pipeline_name(spec),
        description=model.description or "",
        created_at=moment(model.created_at),
        scheduled_at=moment(model.scheduled_at),
        finished_at=moment(model.finished_at) if state.is_final else None,
        is_archived=model.storage_state == "ARCHIVED",
        parameters=whole((config.parameters if config else None) or {}),
        pipeline_root=(config.pipeline_root if config else None) or "",
        error=error_text(model.error) or _history_error(model.state_history),
        spec=spec,
    )


def error_text(status: Any) -> str:
    """Returns a GoogleRpcStatus' message; "" for none."""
    return str(status.message) if status is not None and status.message else ""


def _history_error(history: Any) -> str:
    messages = [error_text(entry.error) for entry in history or [] if entry is not None]
    return next((text for text in reversed(messages) if text), "")
