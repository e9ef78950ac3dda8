"""What people ask for: a visualization, and to have it rendered again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs.entities import Artifact
from apps.runs.gateway import Gateway
from apps.visualizations import jobs, selectors
from apps.visualizations.exceptions import TooManyQueuedError, WrongStateError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.credentials import credential_keep
from apps.visualizations.services.orders import (
    SAMPLE_TITLE,
    Order,
    VisualizationRequest,
    arguments_clean,
    order_make,
    own_metadata,
    receipt_of,
    timeout_clean,
)
from apps.visualizations.services.rights import change_check, namespace_check, record, right_check
from apps.visualizations.services.scripts import custom_check, script_read

logger = logging.getLogger(__name__)
_MAX_NAME_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What came of a request; `is_new` is False where a saved result answered it."""

    visualization: Visualization
    render: Render
    is_new: bool


def visualization_create(caller: Caller, request: VisualizationRequest, gateway: Gateway | None) -> Submission:
    """Saves a visualization and queues its first render, or returns the saved one of the same receipt.

    Args:
        gateway: with the rights of the caller; None for a request without a run.

    Raises:
        NotAllowedError: the caller may not create, or not run code of their own.
        NotFoundError: it would be of a namespace that the caller may not read.
        InvalidRequestError, CustomOffError, RunsError: see `order_make`.
        TooManyQueuedError: the user has as many waiting as one may have.
    """
    _create_check(caller, request)
    order = order_make(request, gateway)
    namespace_check(caller, order.endpoint_key, order.namespace)
    saved = selectors.render_with_receipt(caller, order.receipt)
    if saved is not None and not request.force:
        return Submission(visualization=saved.visualization, render=saved, is_new=False)
    queue_check(caller)
    with transaction.atomic():
        visualization = saved.visualization if saved else None
        if visualization is None or not selectors.may_change(caller, visualization):
            visualization = _visualization_write(caller.owner, order)
        values = _render_values(order)
        render = _render_write(visualization, order.sealed_credential, requested_by=caller.owner, **values)
        record(caller, "visualization.create", visualization, detail=order.type.key)
    return Submission(visualization=visualization, render=render, is_new=True)


def visualization_create_anew(
    caller: Caller, request: VisualizationRequest, render_id: UUID, *, place: tuple[str, str] = ("", "")
) -> Render:
    """Saves a visualization of its own and queues its render, without a run and whatever was saved before.

    For callers who wait for the end: three INSERTs, and one round trip to the queue.

    Args:
        caller: where no account calls (Kubeflow's protocol on its own listener), the listener limits how many wait.
        render_id: chosen by the caller, who listens for its end already.
        place: the endpoint's key and the namespace that it belongs to; ("", "") for none.

    Raises:
        NotAllowedError, NotFoundError, InvalidRequestError, CustomOffError, TooManyQueuedError: see
            `visualization_create`.
    """
    _create_check(caller, request)
    namespace_check(caller, *place)
    order = replace(order_make(request, None), endpoint_key=place[0], namespace=place[1])
    if caller.is_person:
        queue_check(caller)
    with transaction.atomic():
        # The reference to the render that comes next is checked when both are committed.
        visualization = _visualization_write(caller.owner, order, latest_id=render_id)
        render = Render.objects.create(
            id=render_id, visualization=visualization, number=1, requested_by=caller.owner, **_render_values(order)
        )
        record(caller, "visualization.create", visualization, detail=order.type.key)
        transaction.on_commit(lambda: jobs.render_announce(render))
    return render


def _create_check(caller: Caller, request: VisualizationRequest) -> None:
    right_check(caller, Right.CREATE)
    if selectors.type_get(request.type_key).is_custom:
        right_check(caller, Right.CUSTOM_CODE)


def _render_values(order: Order) -> dict[str, Any]:
    return {
        "arguments": order.arguments,
        "code": order.script.code,
        "is_custom": order.type.is_custom,
        "type_version": order.type.version,
        "environment": order.script.environment,
        "dependencies": list(order.script.dependencies),
        "kernel": order.type.kernel,
        "environment_lock": order.script.environment_lock,
        "source_uri": order.source_uri,
        "source_metadata": order.source_metadata,
        "sample_rows": order.sample_rows,
        "receipt": order.receipt,
        "timeout_s": order.timeout_s,
    }


def queue_check(caller: Caller) -> None:
    """Raises TooManyQueuedError where the caller may queue no more."""
    limit = settings.VIZPORTAL_MAX_QUEUED_PER_USER
    if selectors.queued_count(caller) >= limit:
        raise TooManyQueuedError(limit)


def _visualization_write(user: Any, order: Order, **values: Any) -> Visualization:
    run = order.details.run if order.details else None
    return Visualization.objects.create(
        title=order.title,
        type_key=order.type.key,
        endpoint_key=order.endpoint_key,
        namespace=order.namespace,
        run_id=run.id if run else "",
        run_name=_copied(run.name) if run else "",
        pipeline_name=_copied(run.pipeline_name) if run else "",
        step_id=order.step.id if order.step else "",
        step_name=_copied(order.step.name) if order.step else "",
        artifact_name=_copied(order.artifact.name) if order.artifact else "",
        # What may be read through Kubeflow's own door: only a URI that was found in this very step.
        artifact_uri=order.source_uri if _is_own(order) else "",
        source_uri=order.source_uri,
        owner=user,
        **values,
    )


def _copied(name: str) -> str:
    """Returns a foreign name as every database keeps it."""
    return name.replace("\0", "")[:_MAX_NAME_CHARS]


def _is_own(order: Order) -> bool:
    return order.step is not None and any(each.uri == order.source_uri for each in order.step.artifacts)


def _render_write(visualization: Visualization, sealed_credential: str = "", **values: Any) -> Render:
    """Writes a queued render, points the visualization at it, and queues it once all of that is committed."""
    # The lock makes the number safe where the database has row locks; SQLite has one writer at a time anyway.
    Visualization.objects.select_for_update().get(id=visualization.id)
    last = visualization.renders.aggregate(last=Max("number"))["last"] or 0
    render = Render.objects.create(visualization=visualization, number=last + 1, **values)
    visualization.latest = render
    visualization.save(update_fields=["latest"])
    credential_keep(render, sealed_credential)
    transaction.on_commit(lambda: jobs.render_announce(render))
    return render


def render_again(
    caller: Caller,
    visualization: Visualization,
    *,
    arguments: Mapping[str, Any] | None = None,
    code: str | None = None,
    timeout_s: float | None = None,
    artifact: Artifact | None = None,
    is_whole: bool = False,
    gateway: Gateway | None = None,
) -> Render:
    """Queues another render with the type as it is now; what is None is taken from the latest render.

    Args:
        artifact: what to read now, in place of what was read before; the caller found it in the visualization's own
        step with their own rights.
        is_whole: all of the source, where a sample of it was tried.
        gateway: with the rights of the caller, for endpoints that are asked with people's own; None fetches with the
        portal's.

    Raises:
        NotAllowedError: neither the owner nor an administrator, or without the right to run code of one's own.
        NotFoundError: it is of a namespace that the caller may no longer read.
        WrongStateError: one is queued or running already.
        InvalidRequestError, CustomOffError, TooManyQueuedError: see `visualization_create`.
    """
    change_check(caller, visualization)
    namespace_check(caller, visualization.endpoint_key, visualization.namespace)
    latest = _latest_ended(visualization)
    if latest.is_custom:
        right_check(caller, Right.CUSTOM_CODE)
    queue_check(caller)
    if artifact is not None:
        latest.source_uri = artifact.uri
        latest.source_metadata = own_metadata(artifact, artifact.uri)
    if is_whole:
        latest.sample_rows = None
    values = _again_values(visualization, latest, arguments, code, timeout_s)
    with transaction.atomic():
        if is_whole:
            visualization.title = visualization.title.removesuffix(SAMPLE_TITLE)
            visualization.save(update_fields=["title"])
        if artifact is not None:
            visualization.artifact_uri = visualization.source_uri = artifact.uri
            visualization.save(update_fields=["artifact_uri", "source_uri"])
        credential = gateway.sealed_credential if gateway else ""
        render = _render_write(visualization, credential, requested_by=caller.owner, **values)
        record(caller, "visualization.render_again", visualization)
    return render


def render_again_for_owner(caller: Caller, visualization: Visualization) -> Render:
    """Queues another render in the owner's name, for an administrator's bulk work: no limit of waiting ones holds.

    Raises:
        NotAllowedError: the caller is no administrator.
        WrongStateError, InvalidRequestError, CustomOffError: see `render_again`.
    """
    right_check(caller, Right.ADMINISTER)
    values = _again_values(visualization, _latest_ended(visualization), None, None, None)
    with transaction.atomic():
        render = _render_write(visualization, requested_by=visualization.owner, **values)
        record(caller, "visualization.render_again", visualization, detail="in the owner's name")
    return render


def _latest_ended(visualization: Visualization) -> Render:
    latest = visualization.renders.order_by("-number").first()
    if latest is None:
        raise WrongStateError("This visualization was never rendered.")
    if latest.is_active:
        raise WrongStateError("It is being rendered already. Cancel that first, or wait for it.")
    return latest


def _again_values(
    visualization: Visualization,
    latest: Render,
    arguments: Mapping[str, Any] | None,
    code: str | None,
    timeout_s: float | None,
) -> dict[str, Any]:
    kind = selectors.type_get(visualization.type_key)
    custom_check(kind)
    values = arguments_clean(kind, latest.arguments if arguments is None else arguments)
    own_code = (latest.code if code is None else code) if kind.is_custom else ""
    # New code says itself where it runs; what ran before runs there again.
    script = script_read(kind, own_code, latest.environment if kind.is_custom and code is None else "")
    limit = timeout_clean(min(latest.timeout_s, float(settings.KERNEL_TIMEOUT)) if timeout_s is None else timeout_s)
    row = visualization
    source = [row.endpoint_key, row.run_id, row.step_id, row.artifact_name, latest.source_uri]
    return {
        "arguments": values,
        "code": script.code,
        "is_custom": kind.is_custom,
        "type_version": kind.version,
        "environment": script.environment,
        "dependencies": list(script.dependencies),
        "kernel": kind.kernel,
        "environment_lock": script.environment_lock,
        "source_uri": latest.source_uri,
        "source_metadata": latest.source_metadata,
        # A try on a sample is made anew as one: nobody asked for the whole.
        "sample_rows": latest.sample_rows,
        "timeout_s": limit,
        "receipt": receipt_of(
            kind,
            script,
            arguments=values,
            source=source,
            source_metadata=latest.source_metadata,
            sample_rows=latest.sample_rows,
        ),
    }
