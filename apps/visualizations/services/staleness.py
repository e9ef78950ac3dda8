"""Finds what has changed since a visualization was rendered: data, type, environment or run.

Each finding has a message and a remedy. No data is read: stores are asked for sizes and versions only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from django.conf import settings
from renderer import EnvironmentUnusableError

from apps.accounts.caller import Caller
from apps.runs.entities import Artifact, RunDetails
from apps.runs.exceptions import ForbiddenError, NotFoundError, RunsError
from apps.runs.gateway import Gateway
from apps.visualizations import provenance, selectors
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import InvalidRequestError, SourceError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.compared import is_results, results_ids
from apps.visualizations.services.requests import own_metadata
from apps.visualizations.sources import SourceSpec, source_version
from apps.visualizations.states import Reason

Remedy = Literal["render", "render_artifact", "download", "retry", ""]
"""Render again; render again from the artifact's current URI; keep the saved copy; check again; nothing helps."""
# These reasons leave open whether the source exists.
_UNSURE: Final = frozenset({Reason.ENDPOINT_DOWN, Reason.SOURCE_UNREACHABLE, Reason.SOURCE_TIMEOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One change since the render.

    Attributes:
        code: artifact_moved, source_changed, source_missing, type_changed, type_gone, environment_changed, run_gone, or
            unknown if the check failed.
        message: a sentence for users.
        artifact: what to read instead next time; None to read the same source.
    """

    code: str
    message: str
    remedy: Remedy = "render"
    artifact: Artifact | None = None


def visualization_findings(
    caller: Caller, visualization: Visualization, *, gateway: Callable[[], Gateway] | None = None
) -> list[Finding]:
    """Returns all changes since the latest render; none while a render is queued or running.

    Args:
        gateway: returns the gateway to use; None for one with the caller's own permissions.

    Raises:
        NotFoundError: the caller may not see the visualization.
    """
    latest = visualization.latest
    found = origin_findings(caller, visualization, gateway=gateway)
    return found if latest is None or latest.is_active else [*found, *made_of_findings(visualization, latest)]


def origin_findings(
    caller: Caller, visualization: Visualization, *, gateway: Callable[[], Gateway] | None = None
) -> list[Finding]:
    """Returns changes of run, artifact and source since the latest render, according to Kubeflow and the stores.

    Args, Raises: see `visualization_findings`.
    """
    selectors.visualization_get(caller, visualization.id)
    latest = visualization.latest
    if latest is None or latest.is_active:
        return []
    latest.visualization = visualization
    asked = gateway or (lambda: provenance.gateway_hurried(caller, visualization))
    found, artifact = _run(visualization, latest, asked) if visualization.run_id else ([], None)
    if not any(each.code in {"artifact_moved", "unknown"} for each in found):
        found += _source(caller, latest, artifact, asked)
    return found


def made_of_findings(visualization: Visualization, render: Render) -> list[Finding]:
    """Returns changes of type and environment since one of the renders, without any request to a server."""
    try:
        kind = selectors.type_get(visualization.type_key)
        lock = environments().get(render.environment if kind.is_custom else kind.environment).lock_digest
    except InvalidRequestError:
        words = f"The type {visualization.type_key} is no longer here, so this cannot be rendered again."
        return [Finding(code="type_gone", message=words, remedy="download")]
    except EnvironmentUnusableError as error:
        return [Finding(code="unknown", message=str(error), remedy="")]
    if not kind.is_custom and kind.version != render.type_version:
        return [Finding(code="type_changed", message=f"The type {kind.title} changed after this was rendered.")]
    if render.environment_lock and lock != render.environment_lock:
        words = f"The packages of the environment {render.environment} changed after this was rendered."
        return [Finding(code="environment_changed", message=words)]
    return []


def _run(
    visualization: Visualization, latest: Render, gateway: Callable[[], Gateway]
) -> tuple[list[Finding], Artifact | None]:
    """Returns changes of the run, and the current artifact."""
    try:
        details = gateway().run_details(visualization.run_id)
    except NotFoundError:
        words = "The run was deleted from Kubeflow. This saved copy stays."
        return [Finding(code="run_gone", message=words, remedy="download")], None
    except ForbiddenError:
        # The run may have changed hands; the portal's own permissions decide about the saved copy.
        return [], None
    except RunsError as error:
        return [Finding(code="unknown", message=str(error), remedy="retry")], None
    return _artifact(visualization, latest, details)


def _artifact(
    visualization: Visualization, latest: Render, details: RunDetails
) -> tuple[list[Finding], Artifact | None]:
    step = details.step(visualization.step_id)
    if step is None:
        return [], None
    if provenance.is_stale(latest, step):
        words = "The artifact changed after this was rendered."
        now = provenance.artifact_of(visualization, step)
        return [Finding(code="artifact_moved", message=words, remedy="render_artifact", artifact=now)], None
    return [], provenance.artifact_of(visualization, step)


def _source(caller: Caller, latest: Render, artifact: Artifact | None, gateway: Callable[[], Gateway]) -> list[Finding]:
    if is_results(latest.source_uri):
        return _compared(caller, latest)
    if latest.source_metadata:
        is_other = artifact is not None and own_metadata(artifact, artifact.uri) != latest.source_metadata
        return [_changed("render_artifact", artifact)] if is_other else []
    return _stored(latest, gateway) if latest.source_uri and latest.source_version else []


def _stored(latest: Render, gateway: Callable[[], Gateway]) -> list[Finding]:
    wanted = SourceSpec(uri=latest.source_uri, artifact_uri=latest.visualization.artifact_uri)
    try:
        now = source_version(wanted, gateway=gateway, allowed=settings.VIZPORTAL_SOURCE_ALLOW)
    except SourceError as error:
        if error.code == Reason.SOURCE_MISSING:
            words = f"The source is no longer there: {error} This saved copy stays."
            return [Finding(code="source_missing", message=words, remedy="download")]
        # A caller who may not read the source learns nothing about it.
        is_unsure = error.code in _UNSURE
        return [Finding(code="unknown", message=str(error), remedy="retry")] if is_unsure else []
    except RunsError as error:
        return [Finding(code="unknown", message=str(error), remedy="retry")]
    return [_changed("render")] if now and now != latest.source_version else []


def _changed(remedy: Remedy, artifact: Artifact | None = None) -> Finding:
    words = "The data changed after this was rendered."
    return Finding(code="source_changed", message=words, remedy=remedy, artifact=artifact)


def _compared(caller: Caller, latest: Render) -> list[Finding]:
    ids = results_ids(latest.source_uri)
    there = set(selectors.render_ids_visible(caller, map(str, ids)))
    gone = [str(number) for number, each in enumerate(ids, 1) if each not in there]
    if not gone:
        return []
    words = f"Result number {', '.join(gone)} of this comparison is gone. This saved copy stays."
    return [Finding(code="source_missing", message=words, remedy="download")]


def is_outdated(findings: list[Finding]) -> bool:
    """Whether rendering again would help."""
    codes = {each.code for each in findings}
    return bool(codes & {"artifact_moved", "source_changed", "type_changed", "environment_changed"}) and not (
        codes & {"source_missing", "type_gone"}
    )
