"""Converts a render's spec to and from its row."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from renderer import RenderSpec

from apps.visualizations.models import Render, Visualization

# The source's scope is in the visualization's row, since all its renders share it.
_COLUMNS: Final = [each.name for each in fields(RenderSpec) if each.name != "source_scope"]


def source_scope(visualization: Visualization) -> tuple[str, ...]:
    """Returns what distinguishes a visualization's source from others with the same URI."""
    return (
        visualization.endpoint_key,
        visualization.run_id,
        visualization.step_id,
        visualization.artifact_name,
    )


def spec_read(render: Render) -> RenderSpec:
    """Returns the spec in a render's row."""
    values = {name: getattr(render, name) for name in _COLUMNS}
    values["dependencies"] = tuple(render.dependencies)
    return RenderSpec(**values, source_scope=source_scope(render.visualization))


def spec_columns(spec: RenderSpec) -> dict[str, Any]:
    """Returns the columns of a render's row for a spec, including its cache key."""
    values = {name: getattr(spec, name) for name in _COLUMNS}
    values["dependencies"] = list(spec.dependencies)
    return {**values, "receipt": spec.cache_key}
