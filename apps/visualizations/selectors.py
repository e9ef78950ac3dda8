"""Read access: visualizations and renders that a caller may see, the queue, the catalogue of types."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from vizkit.types import registry
from vizkit.types.entities import VisualizationType

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import access
from apps.runs.entities import Artifact
from apps.visualizations import catalogue, turns
from apps.visualizations.exceptions import InvalidRequestError, NotFoundError
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.states import RenderState

_SPEEDS = 20
_MOST_NAMESPACES = 200
_MOST_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """The place of a waiting render in its queue.

    Attributes:
        position: 1 is next.
        eta_s: seconds until its turn ends, estimated from the latest renders; None if there were none, if all running
            ones already take longer, or if the queue is paused.
    """

    position: int
    eta_s: float | None


def type_list() -> list[VisualizationType]:
    """Returns all valid types, predefined ones first, approved ones last."""
    return list(registry.types(settings.VIZPORTAL_TYPES_DIRS, catalogue.types_added()).values())


def type_get(key: str) -> VisualizationType:
    """Returns a type by its key, case ignored.

    Raises:
        InvalidRequestError: there is no such type; the field is `type`.
    """
    found = registry.types(settings.VIZPORTAL_TYPES_DIRS).get(key.lower())
    if found is not None:
        # Types with a file need no query.
        return found
    try:
        return registry.get(key, settings.VIZPORTAL_TYPES_DIRS, catalogue.types_added())
    except registry.UnknownTypeError as error:
        raise InvalidRequestError.at("type", str(error), code="unknown_type") from error


def tfx_type(artifact: Artifact) -> str:
    """Returns an artifact's TFX type, such as `ExampleStatistics`, from its schema title or metadata; "" if none."""
    named = artifact.metadata.get("tfx_type")
    own = artifact.type.removeprefix("tfx.") if artifact.type.startswith("tfx.") else ""
    return own or (named.removeprefix("tfx.") if isinstance(named, str) else "")


def type_fit(kind: VisualizationType, artifact: Artifact) -> int:
    """Returns how well a type suits an artifact: 0 for not at all, higher is better."""
    return kind.fits(artifact.type, artifact.file_name, tfx_type(artifact))


def type_order(artifact: Artifact) -> list[VisualizationType]:
    """Returns all types, those that suit the artifact best first."""
    return registry.suggest(
        artifact.type,
        artifact.file_name,
        settings.VIZPORTAL_TYPES_DIRS,
        tfx_type=tfx_type(artifact),
        more=catalogue.types_added(),
    )


def type_suggestions(artifact: Artifact) -> list[VisualizationType]:
    """Returns the types that suit an artifact, best first, without CUSTOM."""
    return [each for each in type_order(artifact) if type_fit(each, artifact) and not each.is_custom]


def type_made_for(artifact: Artifact) -> VisualizationType | None:
    """Returns the type made for an artifact's TFX type; None if there is none."""
    name = tfx_type(artifact)
    made = [each for each in type_suggestions(artifact) if name and name in each.artifact_types]
    return next(iter(made), None)


def visualizations_visible(caller: Caller) -> QuerySet[Visualization]:
    """Returns the visualizations that a caller may see.

    With the permission to view these are all, except on multi-user endpoints: there, callers see their own, and those
    of runs in namespaces that they may read.
    """
    if not caller.may(Right.VIEW):
        return Visualization.objects.none()
    rows = Visualization.objects.filter(deleted_at=None).select_related("owner", "latest")
    if caller.sees_everything or not access.is_divided():
        return rows
    if not caller.is_person:
        return rows.none()
    kept = Visualization.objects.exclude(namespace="").order_by().values_list("endpoint_key", "namespace").distinct()
    # Kubeflow's own listener saves without owner and endpoint, so nobody knows whose those are.
    visible = Q(owner=caller.user_id) | (Q(namespace="") & ~Q(owner=None, endpoint_key=""))
    for endpoint_key, namespace in access.readable(caller, kept[:_MOST_NAMESPACES]):
        visible |= Q(endpoint_key=endpoint_key, namespace=namespace)
    return rows.filter(visible)


def renders_visible(caller: Caller) -> QuerySet[Render]:
    """Returns the renders of visualizations that a caller may see."""
    rows = Render.objects.filter(visualization__deleted_at=None).select_related("visualization", "requested_by")
    if caller.sees_everything:
        return rows
    return rows.filter(visualization__in=visualizations_visible(caller).values("id"))


def sees_all_renders(caller: Caller) -> bool:
    """Whether a caller may see all renders."""
    return caller.may(Right.VIEW) and (caller.sees_everything or not access.is_divided())


def render_ids_visible(caller: Caller, render_ids: Iterable[str]) -> list[UUID]:
    """Returns the ids of renders that a caller may see among these; invalid ids are ignored."""
    ids = []
    for each in render_ids:
        with contextlib.suppress(ValueError):
            ids.append(UUID(each))
    return list(renders_visible(caller).filter(id__in=ids).values_list("id", flat=True))


def visualization_get(caller: Caller, visualization_id: UUID | str) -> Visualization:
    """Returns a visualization.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    found = visualizations_visible(caller).filter(id=id_read(visualization_id)).first()
    if found is None:
        raise NotFoundError("There is no such visualization.")
    return found


def render_get(caller: Caller, render_id: UUID | str) -> Render:
    """Returns a render with its visualization.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    found = renders_visible(caller).filter(id=id_read(render_id)).first()
    if found is None:
        raise NotFoundError("There is no such render.")
    return found


def render_by_number(caller: Caller, visualization_id: UUID | str, number: int) -> Render:
    """Returns a visualization's render by its number, from 1.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    found = renders_of(caller, visualization_get(caller, visualization_id)).filter(number=number).first()
    if found is None:
        raise NotFoundError(f"This visualization has no render number {number}.")
    return found


def renders_of(caller: Caller, visualization: Visualization) -> QuerySet[Render]:
    """Returns a visualization's renders, newest first, without their long texts."""
    chosen = renders_visible(caller).filter(visualization=visualization)
    return chosen.defer("code", "log", "traceback").order_by("-number")


def results_latest(visualizations: QuerySet[Visualization]) -> QuerySet[Any]:
    """Returns the id of the newest successful render of each visualization, as a one-column query."""
    good = Render.objects.filter(visualization=OuterRef("pk"), state=RenderState.SUCCEEDED).exclude(html="")
    rows = visualizations.order_by().annotate(good=Subquery(good.order_by("-number").values("id")[:1]))
    return rows.filter(good__isnull=False).values("good")


def visualization_list(
    caller: Caller,
    *,
    text: str = "",
    type_key: str = "",
    state: str = "",
    pipeline_name: str = "",
    run_id: str = "",
    step_id: str = "",
    owner: str = "",
) -> QuerySet[Visualization]:
    """Returns visualizations, newest first; an empty filter matches everything.

    Args:
        text: each word must occur in title, type, run, pipeline, step, artifact, source, tags, notes or owner's name.
        owner: a user name.
    """
    found = visualizations_visible(caller).prefetch_related("latest__figures")
    exact = {
        "type_key": type_key.lower(),
        "latest__state": state,
        "pipeline_name": pipeline_name,
        "run_id": run_id,
        "step_id": step_id,
        "owner__username": owner,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    return text_filter(found, text).order_by("-created_at", "id")


def text_filter(rows: QuerySet[Visualization], text: str) -> QuerySet[Visualization]:
    """Returns the rows that contain each word of a text, ignoring case; only the first ten words count."""
    for word in text.replace("\0", "").lower().split()[:_MOST_WORDS]:
        rows = rows.filter(text__contains=word)
    return rows


def recipe_get(caller: Caller, recipe_id: UUID | str) -> Recipe:
    """Returns a recipe.

    Raises:
        NotFoundError: there is none, or the caller may see none of its visualizations.
    """
    found = Recipe.objects.filter(id=id_read(recipe_id)).select_related("baseline").first()
    if found is None or not visualizations_visible(caller).filter(recipe=found).exists():
        raise NotFoundError("There is no such series.")
    return found


def series_list(caller: Caller, recipe: Recipe) -> QuerySet[Visualization]:
    """Returns the visualizations of a recipe with their key figures, newest run first."""
    rows = visualizations_visible(caller).filter(recipe=recipe).prefetch_related("latest__figures")
    return rows.order_by(F("run_created_at").desc(nulls_last=True), "-created_at", "id")


def visualization_counts(caller: Caller, run_ids: Iterable[str]) -> dict[str, int]:
    """Returns the number of visualizations of each run; runs without any are left out."""
    found = visualizations_visible(caller).filter(run_id__in=list(run_ids)).order_by()
    return dict(found.values_list("run_id").annotate(count=Count("id")))


def render_with_receipt(caller: Caller, receipt: str) -> Render | None:
    """Returns the latest successful render with this cache key that a caller may see; None if there is none."""
    found = renders_visible(caller).filter(receipt=receipt, state=RenderState.SUCCEEDED, damaged_at=None)
    return found.exclude(html="").order_by("-created_at").first()


def queued_count(caller: Caller) -> int:
    """Returns how many of the caller's renders are waiting."""
    return Render.objects.filter(requested_by=caller.user_id, state=RenderState.QUEUED).count()


def queue_place(render: Render) -> QueuePlace | None:
    """Returns a render's place in its queue; None unless it is queued."""
    if render.state != RenderState.QUEUED:
        return None
    return queue_places(render.environment).get(render.id)


def queue_places(environment: str) -> dict[UUID, QueuePlace]:
    """Returns the place of each render in an environment's queue, in the order of their turns."""
    active = Render.objects.filter(environment=environment)
    mean_s = mean_duration_s(active)
    latest = active.filter(state=RenderState.RUNNING).aggregate(at=Max("started_at"))["at"]
    longest_s = (timezone.now() - latest).total_seconds() if latest else 0.0
    is_paused = turns.pause_reason(environment) is not None
    places = {}
    for position, render_id in enumerate(turns.queue_order(environment), start=1):
        eta_s = _eta_s(position, mean_s)
        is_unknown = is_paused or (eta_s is not None and longest_s > eta_s)
        places[render_id] = QueuePlace(position=position, eta_s=None if is_unknown else eta_s)
    return places


def _eta_s(position: int, mean_s: float | None) -> float | None:
    return None if mean_s is None else round(math.ceil(position / max(1, settings.VIZPORTAL_WORKERS)) * mean_s, 1)


def mean_duration_s(renders: QuerySet[Render]) -> float | None:
    """Returns the mean duration of the latest renders, in seconds; None if none has ended."""
    ended = renders.filter(started_at__isnull=False, finished_at__isnull=False)
    times = ended.order_by("-finished_at").values_list("started_at", "finished_at")[:_SPEEDS]
    spans = [(end - start).total_seconds() for start, end in times if start and end]
    return sum(spans) / len(spans) if spans else None


def queue_list(caller: Caller) -> QuerySet[Render]:
    """Returns the running and waiting renders that a caller may see: running ones first, then the oldest."""
    found = renders_visible(caller).filter(state__in=[RenderState.RUNNING, RenderState.QUEUED])
    return found.order_by("-started_at", "queued_at")


def queue_counts() -> dict[str, int]:
    """Returns how many renders run and wait, of all people: numbers reveal nothing about their content."""
    return Render.objects.aggregate(
        running=Count("id", filter=Q(state=RenderState.RUNNING)),
        queued=Count("id", filter=Q(state=RenderState.QUEUED)),
    )


def oldest_wait_s() -> float:
    """Returns how many seconds the first render in the queue has waited; 0 for an empty queue."""
    first = Render.objects.filter(state=RenderState.QUEUED).order_by("queued_at").values_list("queued_at").first()
    return (timezone.now() - first[0]).total_seconds() if first else 0.0


def id_read(value: UUID | str) -> UUID:
    """Parses an id; raises NotFoundError if the text is not one."""
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError as error:
        raise NotFoundError("There is no such id.") from error
