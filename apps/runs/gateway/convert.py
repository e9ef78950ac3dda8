"""Converts the REST API's models to entities.

A damaged row has None everywhere, so every field is checked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.runs.entities import Experiment, Pipeline, PipelineVersion, Run, State
from apps.runs.gateway import spec as specs
from apps.runs.gateway.json_reading import json_object, json_objects, mapping, text, whole
from apps.runs.gateway.plugins import plugins


def moment(value: Any) -> datetime | None:
    """Returns a time in UTC; None for nothing, and for 1970, the API's word for "not yet"."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.year <= 1970:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def pipeline(model: Any) -> Pipeline:
    """Converts a V2beta1Pipeline."""
    return Pipeline(
        id=text(model.pipeline_id),
        name=text(model.display_name) or text(model.pipeline_id),
        description=text(model.description),
        tags=_tags(model.tags),
        created_at=moment(model.created_at),
    )


def _tags(value: Any) -> dict[str, str]:
    """Returns the tags of a pipeline or a version; servers before 2.17 have none."""
    return {str(name): str(tag) for name, tag in value.items()} if isinstance(value, dict) else {}


def pipeline_version(model: Any) -> PipelineVersion:
    """Converts a V2beta1PipelineVersion."""
    return PipelineVersion(
        id=text(model.pipeline_version_id),
        pipeline_id=text(model.pipeline_id),
        name=text(model.display_name) or text(model.pipeline_version_id),
        description=text(model.description),
        tags=_tags(model.tags),
        created_at=moment(model.created_at),
        spec=specs.unwrap(model.pipeline_spec),
    )


def experiment(model: Any) -> Experiment:
    """Converts a V2beta1Experiment."""
    return Experiment(
        id=text(model.experiment_id),
        name=text(model.display_name) or text(model.experiment_id),
        description=text(model.description),
        created_at=moment(model.created_at),
        is_archived=model.storage_state == "ARCHIVED",
        namespace=text(model.namespace),
    )


def run(model: Any) -> Run:
    """Converts a V2beta1Run."""
    reference, config = json_object(model.pipeline_version_reference), json_object(model.runtime_config)
    spec = specs.unwrap(model.pipeline_spec)
    state = State.by_api_value(str(model.state))
    return Run(
        id=text(model.run_id),
        name=text(model.display_name) or text(model.run_id),
        state=state,
        experiment_id=text(model.experiment_id),
        pipeline_id=text(reference.pipeline_id),
        pipeline_version_id=text(reference.pipeline_version_id) or text(model.pipeline_version_id),
        pipeline_name=specs.pipeline_name(spec),
        description=text(model.description),
        created_at=moment(model.created_at),
        scheduled_at=moment(model.scheduled_at),
        finished_at=moment(model.finished_at) if state.is_final else None,
        is_archived=model.storage_state == "ARCHIVED",
        parameters=_parameters(config.parameters, model.pipeline_spec),
        pipeline_root=text(config.pipeline_root),
        error=error_text(model.error) or _history_error(model.state_history),
        spec=spec,
        recurring_run_id=text(model.recurring_run_id),
        plugins=plugins(model.plugins_output),
        plugins_input=dict(mapping(whole(model.plugins_input))),
    )


def _parameters(given: Any, spec: Any) -> dict[str, Any]:
    """Returns a run's parameters; a run of KFP 1.x has them in its spec, as a list of names and texts."""
    if isinstance(given, dict) and given:
        return dict(whole(given))
    listed = spec.get("parameters") if isinstance(spec, dict) and "root" not in spec else None
    rows = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return {str(item.get("name") or ""): item.get("value") for item in rows}


def error_text(status: Any) -> str:
    """Returns a GoogleRpcStatus' message; "" for none."""
    return text(json_object(status).message)


def _history_error(history: Any) -> str:
    messages = [error_text(entry.error) for entry in json_objects(history)]
    return next((message for message in reversed(messages) if message), "")
