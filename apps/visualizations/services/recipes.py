"""Recipes: type, arguments and artifact, independent of the run. The visualizations of a recipe are a series."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from renderer import RenderSpec

from apps.visualizations.models import Recipe, Visualization
from apps.visualizations.sources import parts_below
from apps.visualizations.specs import spec_read

# The parts that identify a recipe. Their order and names are part of stored digests.
_PARTS: Final = (
    *("endpoint_key", "namespace", "pipeline_name", "step_id", "artifact_name", "part"),
    *("type_key", "arguments", "code", "environment", "sample_rows"),
)


def recipe_keep(visualization: Visualization, spec: RenderSpec) -> Recipe | None:
    """Returns the recipe of a spec, saving a new one, and sets it on the visualization without saving that.

    Returns:
        None for a visualization without a run: it belongs to no series.
    """
    if not visualization.run_id:
        return None
    values = _values(visualization, spec)
    found, _ = Recipe.objects.get_or_create(digest=_digest(values), defaults=values)
    visualization.recipe = found
    return found


def recipes_fill(limit: int) -> int:
    """Gives recipes to visualizations that an older version saved; returns how many, at most `limit`."""
    rows = Visualization.objects.filter(recipe=None, latest__isnull=False).exclude(run_id="")
    found = list(rows.select_related("latest").order_by("created_at")[:limit])
    for visualization in found:
        latest = visualization.latest
        if latest is not None:
            latest.visualization = visualization
            recipe = recipe_keep(visualization, spec_read(latest))
            Visualization.objects.filter(id=visualization.id, recipe=None).update(recipe=recipe)
    return len(found)


def _values(visualization: Visualization, spec: RenderSpec) -> dict[str, Any]:
    parts = parts_below(spec.source_uri, visualization.artifact_uri)
    return {
        "endpoint_key": visualization.endpoint_key,
        "namespace": visualization.namespace,
        "pipeline_name": visualization.pipeline_name,
        "step_id": visualization.step_id,
        "artifact_name": visualization.artifact_name,
        # An artifact's URI differs from run to run; a source that a person named is the same for all runs.
        "part": spec.source_uri if parts is None else "/".join(parts),
        "type_key": visualization.type_key,
        "arguments": dict(spec.arguments),
        "code": spec.code if spec.is_custom else "",
        "environment": spec.environment if spec.is_custom else "",
        "sample_rows": spec.sample_rows,
    }


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps([values[name] for name in _PARTS], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
