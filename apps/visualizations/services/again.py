"""Rendering a saved visualization again: for a person, or in bulk for an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from renderer import RenderSpec

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs.entities import Artifact
from apps.runs.gateway import Gateway
from apps.visualizations import selectors
from apps.visualizations.exceptions import WrongStateError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.code import custom_check, spec_begin
from apps.visualizations.services.queueing import queue_check, render_write
from apps.visualizations.services.requests import (
    SAMPLE_TITLE,
    arguments_clean,
    options_clean,
    own_metadata,
    source_in,
)
from apps.visualizations.services.rights import change_check, namespace_check, record, right_check
from apps.visualizations.specs import source_scope, spec_read


def render_again(
    caller: Caller,
    visualization: Visualization,
    *,
    arguments: Mapping[str, Any] | None = None,
    code: str | None = None,
    options: Mapping[str, Any] | None = None,
    artifact: Artifact | None = None,
    is_whole: bool = False,
    gateway: Gateway | None = None,
) -> Render:
    """Queues another render with the current version of the type; None takes the value from the latest render.

    Args:
        artifact: the artifact to read instead of the previous one; the caller found it in the visualization's own step,
            with their own permissions.
        is_whole: read the whole source where the latest render read a sample.
        gateway: acts with the caller's permissions, for endpoints that require people's own credentials; None fetches
            with the portal's.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator, or may not run custom code.
        NotFoundError: the caller may no longer read the visualization's namespace.
        WrongStateError: a render is already queued or running, or there is none yet.
        InvalidRequestError, CustomOffError, TooManyQueuedError: see `visualization_create`.
    """
    change_check(caller, visualization)
    namespace_check(caller, visualization.endpoint_key, visualization.namespace)
    latest = _latest_ended(visualization)
    if latest.is_custom:
        right_check(caller, Right.CUSTOM_CODE)
    queue_check(caller)
    before = spec_read(latest)
    if artifact is not None:
        before = _moved(visualization, before, artifact)
    if is_whole:
        before = replace(before, sample_rows=None)
    spec = _spec_again(visualization, before, arguments, code, options or {})
    with transaction.atomic():
        if is_whole:
            visualization.title = visualization.title.removesuffix(SAMPLE_TITLE)
            visualization.save(update_fields=["title"])
        if artifact is not None:
            _artifact_note(visualization, artifact, spec)
        credential = gateway.sealed_credential if gateway else ""
        render = render_write(visualization, spec, caller.owner, credential)
        record(caller, "visualization.render_again", visualization)
    return render


def render_again_for_owner(
    caller: Caller,
    visualization: Visualization,
    *,
    artifact: Artifact | None = None,
    unless_since: datetime | None = None,
) -> Render:
    """Queues another render on behalf of the owner, for an administrator's bulk work; the queue limit does not apply.

    Args:
        artifact: see `render_again`.
        unless_since: do not render again if the latest render was requested at or after this time.

    Raises:
        NotAllowedError: the caller is no administrator.
        WrongStateError: see `render_again`; also if `unless_since` forbids it.
        InvalidRequestError, CustomOffError: see `render_again`.
    """
    right_check(caller, Right.ADMINISTER)
    latest = _latest_ended(visualization)
    if unless_since is not None and latest.created_at >= unless_since:
        raise WrongStateError("It has been rendered again in the meantime.")
    before = spec_read(latest)
    if artifact is not None:
        before = _moved(visualization, before, artifact)
    spec = _spec_again(visualization, before, None, None, {})
    with transaction.atomic():
        if artifact is not None:
            _artifact_note(visualization, artifact, spec)
        render = render_write(visualization, spec, visualization.owner)
        record(caller, "visualization.render_again", visualization, detail="on behalf of the owner")
    return render


def _moved(visualization: Visualization, before: RenderSpec, artifact: Artifact) -> RenderSpec:
    """Returns a spec that reads the artifact at its current URI."""
    uri = source_in(artifact, before.source_uri, visualization.artifact_uri)
    return replace(before, source_uri=uri, source_metadata=own_metadata(artifact, uri))


def _artifact_note(visualization: Visualization, artifact: Artifact, spec: RenderSpec) -> None:
    visualization.artifact_uri, visualization.source_uri = artifact.uri, spec.source_uri
    visualization.save(update_fields=["artifact_uri", "source_uri"])


def _latest_ended(visualization: Visualization) -> Render:
    latest = visualization.renders.order_by("-number").first()
    if latest is None:
        raise WrongStateError("This visualization was never rendered.")
    if latest.is_active:
        raise WrongStateError("It is being rendered already. Cancel that first, or wait for it.")
    return latest


def _spec_again(
    visualization: Visualization,
    before: RenderSpec,
    arguments: Mapping[str, Any] | None,
    code: str | None,
    options: Mapping[str, Any],
) -> RenderSpec:
    """Returns the spec of the next render: the type's current version, and the previous value for each None."""
    kind = selectors.type_get(visualization.type_key)
    custom_check(kind)
    values = arguments_clean(kind, before.arguments if arguments is None else arguments)
    own_code = (before.code if code is None else code) if kind.is_custom else ""
    # New code chooses its own environment; unchanged code runs where it ran before.
    begun = spec_begin(kind, own_code, before.environment if kind.is_custom and code is None else "")
    kept = {**before.options, "timeout_s": min(before.timeout_s, float(settings.KERNEL_TIMEOUT))}
    return replace(
        begun,
        arguments=values,
        source_uri=before.source_uri,
        source_metadata=before.source_metadata,
        source_scope=source_scope(visualization),
        # Rendering a sample again reads a sample: nobody asked for the whole source.
        sample_rows=before.sample_rows,
        **options_clean({**kept, **options}),
    )
