"""Creates a visualization for a request, or finds the saved one of the same request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs.gateway import Gateway
from apps.visualizations import job_queue, selectors
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.indexing import text_of
from apps.visualizations.services.queueing import queue_check, render_write
from apps.visualizations.services.requests import (
    CheckedRequest,
    VisualizationRequest,
    request_check,
)
from apps.visualizations.services.rights import namespace_check, record, right_check
from apps.visualizations.services.titles import title_change
from apps.visualizations.specs import spec_columns

logger = logging.getLogger(__name__)
_MAX_NAME_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The outcome of a request; `is_new` is False if a saved result answered it."""

    visualization: Visualization
    render: Render
    is_new: bool


def visualization_create(
    caller: Caller,
    request: VisualizationRequest,
    gateway: Gateway | None,
    *,
    on_saved: Callable[[Submission], None] | None = None,
) -> Submission:
    """Saves a visualization and queues its first render, or returns the saved one with the same cache key.

    Args:
        gateway: acts with the caller's permissions; None for a request without a run.
        on_saved: called in the transaction that saves a new visualization, so that an exception from it rolls back
            both; also called if a saved result is returned.

    Raises:
        NotAllowedError: the caller may not create visualizations, or not run custom code.
        NotFoundError: the caller may not read the namespace that it would belong to.
        InvalidRequestError, CustomOffError, RunsError: see `request_check`.
        TooManyQueuedError: the user's queue limit is reached.
    """
    _create_check(caller, request)
    checked = request_check(request, gateway)
    return request_submit(caller, checked, force=request.force, edited=request.edited, on_saved=on_saved)


def request_submit(
    caller: Caller,
    checked: CheckedRequest,
    *,
    force: bool = False,
    edited: str = "",
    on_saved: Callable[[Submission], None] | None = None,
) -> Submission:
    """Checks permissions, then saves and queues a checked request; see `visualization_create`.

    Args:
        force: render even if there is a saved result.
        edited: id of the render that was edited; "" for none.

    Raises:
        NotAllowedError: the caller may not create visualizations.
        NotFoundError: the caller may not read the namespace that it would belong to.
        TooManyQueuedError: the user's queue limit is reached.
    """
    right_check(caller, Right.CREATE)
    namespace_check(caller, checked.endpoint_key, checked.namespace)
    saved = selectors.render_with_receipt(caller, checked.spec.cache_key)
    mine = saved.visualization if saved and caller.may_change(saved.visualization.owner_id) else None
    # The title is not part of the cache key: a request that changes only the title retitles the saved result.
    if mine and checked.is_titled and mine.title != checked.title:
        title_change(caller, mine, checked.title)
    if saved is not None and not force:
        found = Submission(visualization=mine or saved.visualization, render=saved, is_new=False)
        if on_saved:
            on_saved(found)
        return found
    queue_check(caller)
    with transaction.atomic():
        visualization = mine or _visualization_write(caller.owner, checked)
        render = render_write(visualization, checked.spec, caller.owner, checked.sealed_credential)
        _supersede(caller, edited, visualization)
        record(caller, "visualization.create", visualization, detail=checked.type_key)
        made = Submission(visualization=visualization, render=render, is_new=True)
        if on_saved:
            on_saved(made)
    return made


def _supersede(caller: Caller, edited: str, visualization: Visualization) -> None:
    """Marks the edited visualization as superseded, if the caller may change it and run and step are the same."""
    with suppress(NotFoundError):
        before = selectors.render_get(caller, edited).visualization if edited else None
        is_same = before is not None and (before.run_id, before.step_id) == (
            visualization.run_id,
            visualization.step_id,
        )
        if before and is_same and before.id != visualization.id and caller.may_change(before.owner_id):
            Visualization.objects.filter(id=before.id).update(superseded_by=visualization)


def visualization_create_anew(
    caller: Caller, request: VisualizationRequest, render_id: UUID, *, place: tuple[str, str] = ("", "")
) -> Render:
    """Saves a new visualization without a run and queues its render, ignoring saved results.

    For callers that wait for the end: three INSERTs, and one round trip to the queue.

    Args:
        caller: calls without an account (Kubeflow's protocol on its own listener) have no queue limit here; the
            listener limits how many wait.
        render_id: chosen by the caller, which already listens for the render's end.
        place: endpoint key and namespace that it belongs to; ("", "") for none.

    Raises:
        NotAllowedError, NotFoundError, InvalidRequestError, CustomOffError, TooManyQueuedError: see
            `visualization_create`.
    """
    _create_check(caller, request)
    namespace_check(caller, *place)
    checked = request_check(request, None)
    spec = replace(checked.spec, source_scope=(place[0], *checked.spec.source_scope[1:]))
    checked = replace(checked, spec=spec, endpoint_key=place[0], namespace=place[1])
    if caller.is_person:
        queue_check(caller)
    with transaction.atomic():
        # The foreign key to the render, which is inserted next, is checked on commit.
        visualization = _visualization_write(caller.owner, checked, latest_id=render_id)
        render = Render.objects.create(
            id=render_id, visualization=visualization, number=1, requested_by=caller.owner, **spec_columns(spec)
        )
        record(caller, "visualization.create", visualization, detail=checked.type_key)
        transaction.on_commit(lambda: job_queue.render_announce(render))
    return render


def _create_check(caller: Caller, request: VisualizationRequest) -> None:
    right_check(caller, Right.CREATE)
    if selectors.type_get(request.type_key).is_custom:
        right_check(caller, Right.CUSTOM_CODE)


def _visualization_write(user: Any, checked: CheckedRequest, **values: Any) -> Visualization:
    run = checked.details.run if checked.details else None
    visualization = Visualization(
        title=checked.title,
        type_key=checked.type_key,
        endpoint_key=checked.endpoint_key,
        namespace=checked.namespace,
        run_id=run.id if run else "",
        run_name=_copied(run.name) if run else "",
        run_created_at=run.created_at if run else None,
        pipeline_name=_copied(run.pipeline_name) if run else checked.pipeline_name,
        step_id=checked.step.id if checked.step else "",
        step_name=_copied(checked.step.name) if checked.step else "",
        artifact_name=_copied(checked.artifact.name) if checked.artifact else "",
        # Only a URI that was found in this very step may be read through Kubeflow's own API.
        artifact_uri=checked.artifact_uri,
        source_uri=checked.spec.source_uri,
        owner=user,
        **values,
    )
    visualization.text = text_of(visualization)
    visualization.save(force_insert=True)
    return visualization


def _copied(name: str) -> str:
    """Returns a name from Kubeflow in a form that every database accepts."""
    return name.replace("\0", "")[:_MAX_NAME_CHARS]
