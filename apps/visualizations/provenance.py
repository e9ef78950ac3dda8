"""Whether the data behind a saved result still exists and is unchanged."""

from __future__ import annotations

from typing import Final

from apps.accounts.caller import Caller
from apps.runs.entities import Artifact, RunDetails, Step
from apps.runs.exceptions import NotFoundError, RunsError
from apps.runs.gateway import Gateway, gateway_for_namespace
from apps.visualizations.models import Render, Visualization
from apps.visualizations.sources import parts_below

# The page is already displayed; a Kubeflow that needs longer than this counts as not answering.
PATIENCE_S: Final = 3


def run_now(caller: Caller, visualization: Visualization) -> RunDetails:
    """Returns the visualization's run as Kubeflow reports it to this caller now.

    Raises:
        RunsError: the run is gone, or Kubeflow does not answer.
    """
    return gateway_hurried(caller, visualization).run_details(visualization.run_id)


def gateway_hurried(caller: Caller, visualization: Visualization) -> Gateway:
    """Returns a gateway to the visualization's run with the caller's permissions and a short timeout.

    Raises:
        RunsError: the endpoint is no longer configured, or the caller has no credential for it.
    """
    return gateway_for_namespace(caller, visualization.endpoint_key, visualization.namespace).hurried(PATIENCE_S)


def gateway_of(caller: Caller, visualization: Visualization) -> Gateway | None:
    """Returns a gateway to the visualization's run with the caller's permissions.

    None if the endpoint is no longer configured, or the caller has no credential for it.
    """
    try:
        return gateway_for_namespace(caller, visualization.endpoint_key, visualization.namespace)
    except RunsError:
        return None


def artifact_of(visualization: Visualization, step: Step) -> Artifact | None:
    """Returns the step's artifact with the visualization's artifact name, preferring outputs to inputs."""
    named = [
        each for each in step.artifacts if visualization.artifact_name and each.name == visualization.artifact_name
    ]
    return min(named, key=lambda each: each.direction != "output", default=None)


def artifact_now(caller: Caller, visualization: Visualization) -> Artifact:
    """Returns the current state of the visualization's artifact.

    Raises:
        RunsError: see `run_now`; also if the step no longer has an artifact of that name.
    """
    step = run_now(caller, visualization).step(visualization.step_id)
    found = artifact_of(visualization, step) if step else None
    if found is None:
        raise NotFoundError(f"The step has no artifact {visualization.artifact_name!r} any more.")
    return found


def is_stale(render: Render, step: Step) -> bool:
    """Whether the artifact's URI has changed since the render: a retried step writes to a new place.

    A source that a person typed in, other than the artifact's own, never becomes stale.
    """
    visualization = render.visualization
    known = {each.uri for each in step.artifacts if each.name == visualization.artifact_name}
    is_own = bool(render.source_uri) and parts_below(render.source_uri, visualization.artifact_uri) is not None
    return is_own and bool(known) and visualization.artifact_uri not in known
