"""A pipeline's spec as steps that have not run, for its graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.runs.entities import Run, State, Step
from apps.runs.gateway import lineage_tree, workflow_spec
from apps.runs.gateway import spec as specs


def spec_steps(spec: Mapping[str, Any]) -> tuple[Step, ...]:
    """Returns the steps of a spec that has not run, all of them waiting; of an IR or of a 1.x Workflow."""
    if specs.is_workflow(spec):
        return workflow_spec.build_steps(spec)
    return lineage_tree.build_steps(Run(id="", name="", state=State.PENDING, spec=spec), ())
