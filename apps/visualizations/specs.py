"""A render's spec, to and from its row."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from renderer import RenderSpec

from apps.visualizations.models import Render, Visualization

# It stands in the visualization's row, since all its renders share it.
_ELSEWHERE: Final = "source_scope"


def source_scope(visualization: Visualization) -> tuple[str, ...]:
    """Returns what tells a visualization's source from another of the same URI."""
    return (
        visualization.endpoint_key,
        visualization.run_id,
        visualization.step_id,
        visualization.artifact_name,
    )


def spec_read(render: Render) -> RenderSpec:
    """Returns the spec that a render's row holds."""
    values = {each.name: getattr(render, each.name) for each in fields(RenderSpec) if each.name != _ELSEWHERE}
    values["dependencies"] = tuple(render.dependencies)
    return RenderSpec(**values, source_scope=source_scope(render.visualization))


def spec_columns(spec: RenderSpec) -> dict[str, Any]:
    """Returns the columns of a render's row that hold a spec, and its cache key."""
    values = {each.name: getattr(spec, each.name) for each in fields(RenderSpec) if each.name != _ELSEWHERE}
    values["dependencies"] = list(spec.dependencies)
    return {**values, "receipt": spec.cache_key}
