"""Everything that reads: visualizations and renders as a user may see them, the queue, the catalogue."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from apps.runs import access
from apps.runs.entities import Artifact
from apps.visualizations.catalogue import registry
from apps.visualizations.catalogue.entities import VisualizationType
from apps.visualizations.exceptions import InvalidRequestError, NotFoundError
from apps.visualizations.models import Render, RenderState, Visualization

_SPEEDS = 20
_MOST_NAMESPACES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a waiting render stands.

    Attributes:
        position: 1 is next.
        eta_s: seconds until its turn ends, from how long the latest renders took; None where there were none, or where
            all that run now take longer than those did.
    """

    position: int
    eta_s: float | None


def type_list() -> list[VisualizationType]:
    """Returns every valid type, predefined ones first."""
    return list(registry.types(settings.VIZPORTAL_TYPES_DIRS).values())


def type_get(key: str) -> VisualizationType:
    """Returns one type by its key, case ignored.

    Raises:
        InvalidRequestError: there is none; the field is `type`.
    """
    try:
        return registry.get(key, settings.VIZPORTAL_TYPES_DIRS)
    except registry.UnknownTypeError as error:
        raise InvalidRequestError(str(error), fields={"type": str(error)}, code="unknown_type") from error


def tfx_type(artifact: Artifact) -> str:
    """Returns what an artifact is in TFX, such as `ExampleStatistics`: by its schema title, or as its metadata says."""
    named = artifact.metadata.get("tfx_type")
    own = artifact.type.removeprefix("tfx.") if artifact.type.startswith("tfx.") else ""
    return own or (named.removeprefix("tfx.") if isinstance(named, str) else "")


def type_fit(kind: VisualizationType, artifact: Artifact) -> int:
    """Returns how well a type suits an artifact: 0 not at all, higher is better."""
    return kind.fits(artifact.type, artifact.file_name, tfx_type(artifact))


def type_order(artifact: Artifact) -> list[VisualizationType]:
    """Returns every type, those that suit the artifact best first."""
    return registry.suggest(
        artifact.type, artifact.file_name, settings.VIZPORTAL_TYPES_DIRS, tfx_type=tfx_type(artifact)
    )


def type_suggestions(artifact: Artifact) -> list[VisualizationType]:
    """Returns the types that suit an artifact, best first; CUSTOM and types that do not fit are left out."""
    return [each for each in type_order(artifact) if type_fit(each, artifact) and not each.is_custom]


def type_made_for(artifact: Artifact) -> VisualizationType | None:
    """Returns the type that is there for just such artifacts of TFX; None for other artifacts."""
    name = tfx_type(artifact)
    made = [each for each in type_suggestions(artifact) if name and name in each.artifact_types]
    return next(iter(made), None)


def visualizations_visible(user: Any) -> QuerySet[Visualization]:
    """Returns what this user may see: everything once signed in, but of a multi-user endpoint only what they made, and
    what was made of runs in namespaces that they may read there.
    """
    if not user.is_authenticated:
        return Visualization.objects.none()
    rows = Visualization.objects.select_related("owner", "latest")
    if user.is_superuser or not access.is_divided():
        return rows
    kept = Visualization.objects.exclude(namespace="").order_by().values_list("endpoint_key", "namespace").distinct()
    visible = Q(owner=user) | Q(namespace="")
    for endpoint_key, namespace in access.readable(kept[:_MOST_NAMESPACES]):
        visible |= Q(endpoint_key=endpoint_key, namespace=namespace)
    return rows.filter(visible)


def may_change(user: Any, visualization: Visualization) -> bool:
    """Whether the user may render again, cancel or delete: the owner may, and staff."""
    return bool(user.is_authenticated and (user.is_staff or visualization.owner_id == user.pk))


def visualization_get(user: Any, visualization_id: UUID | str) -> Visualization:
    """Returns one visualization.

    Raises:
        NotFoundError: there is none, or this user may not see it.
    """
    found = visualizations_visible(user).filter(id=_uuid(visualization_id)).first()
    if found is None:
        raise NotFoundError("There is no such visualization.")
    return found


def render_get(user: Any, render_id: UUID | str) -> Render:
    """Returns one render with its visualization.

    Raises:
        NotFoundError: as `visualization_get`.
    """
    visible = Render.objects.filter(visualization__in=visualizations_visible(user).values("id"))
    found = visible.select_related("visualization", "requested_by").filter(id=_uuid(render_id)).first()
    if found is None:
        raise NotFoundError("There is no such render.")
    return found


def render_by_number(user: Any, visualization_id: UUID | str, number: int) -> Render:
    """Returns a visualization's render by its number (from 1).

    Raises:
        NotFoundError: as `visualization_get`.
    """
    found = renders_of(visualization_get(user, visualization_id)).filter(number=number).first()
    if found is None:
        raise NotFoundError(f"This visualization has no render number {number}.")
    return found


def renders_of(visualization: Visualization) -> QuerySet[Render]:
    """Returns a visualization's renders, newest first, without their long texts."""
    chosen = visualization.renders.select_related("visualization", "requested_by")
    return chosen.defer("code", "log", "traceback").order_by("-number")


def visualization_list(
    user: Any,
    *,
    text: str = "",
    type_key: str = "",
    state: str = "",
    pipeline_name: str = "",
    run_id: str = "",
    step_id: str = "",
    owner: str = "",
) -> QuerySet[Visualization]:
    """Returns visualizations, newest first; an empty filter filters nothing.

    Args:
        text: every word must occur in the title, type, run, pipeline, step, artifact or owner's name.
        owner: a user name.
    """
    found = visualizations_visible(user)
    exact = {
        "type_key": type_key.lower(),
        "latest__state": state,
        "pipeline_name": pipeline_name,
        "run_id": run_id,
        "step_id": step_id,
        "owner__username": owner,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    places = ["title", "type_key", "run_name", "run_id", "pipeline_name", "step_name", "artifact_name"]
    for word in text.replace("\0", "").split()[:10]:
        match = Q(owner__username__icontains=word)
        for place in places:
            match |= Q(**{f"{place}__icontains": word})
        found = found.filter(match)
    return found.order_by("-created_at", "id")


def visualizations_of_step(user: Any, *, endpoint_key: str, run_id: str, step_id: str) -> QuerySet[Visualization]:
    """Returns a step's visualizations, newest first."""
    return visualization_list(user, run_id=run_id, step_id=step_id).filter(endpoint_key=endpoint_key)


def visualization_counts(user: Any, run_ids: Iterable[str]) -> dict[str, int]:
    """Returns how many visualizations each run has; runs without any are left out."""
    found = visualizations_visible(user).filter(run_id__in=list(run_ids)).order_by()
    return dict(found.values_list("run_id").annotate(count=Count("id")))


def render_with_receipt(receipt: str) -> Render | None:
    """Returns the latest good render of exactly this receipt; None where there is none."""
    found = Render.objects.filter(receipt=receipt, state=RenderState.SUCCEEDED, damaged_at=None).exclude(html="")
    return found.select_related("visualization").order_by("-created_at").first()


def queued_count(user: Any) -> int:
    """Returns how many renders this user has waiting."""
    return Render.objects.filter(requested_by=user, state=RenderState.QUEUED).count()


def queue_place(render: Render) -> QueuePlace | None:
    """Returns where a render waits; None unless it is queued."""
    if render.state != RenderState.QUEUED:
        return None
    active = Render.objects.filter(environment=render.environment)
    before = active.filter(state=RenderState.QUEUED, queued_at__lt=render.queued_at).count()
    mean_s = _mean_duration_s(render.environment)
    turns = math.ceil((before + 1) / max(1, settings.VIZPORTAL_WORKERS))
    eta_s = None if mean_s is None else round(turns * mean_s, 1)
    latest = active.filter(state=RenderState.RUNNING).aggregate(at=Max("started_at"))["at"]
    if eta_s is not None and latest and (timezone.now() - latest).total_seconds() > eta_s:
        eta_s = None
    return QueuePlace(position=before + 1, eta_s=eta_s)


def _mean_duration_s(environment: str) -> float | None:
    ended = Render.objects.filter(environment=environment, started_at__isnull=False, finished_at__isnull=False)
    times = ended.order_by("-finished_at").values_list("started_at", "finished_at")[:_SPEEDS]
    spans = [(end - start).total_seconds() for start, end in times if start and end]
    return sum(spans) / len(spans) if spans else None


def queue_list() -> QuerySet[Render]:
    """Returns the renders that run or wait, in the order of their turn."""
    found = Render.objects.filter(state__in=[RenderState.RUNNING, RenderState.QUEUED])
    return found.select_related("visualization", "requested_by").order_by("-started_at", "queued_at")


def queue_counts() -> dict[str, int]:
    """Returns how many renders run and wait."""
    return Render.objects.aggregate(
        running=Count("id", filter=Q(state=RenderState.RUNNING)),
        queued=Count("id", filter=Q(state=RenderState.QUEUED)),
    )


def oldest_wait_s() -> float:
    """Returns for how many seconds the first in the queue has waited; 0 where nobody waits."""
    first = Render.objects.filter(state=RenderState.QUEUED).order_by("queued_at").values_list("queued_at").first()
    return (timezone.now() - first[0]).total_seconds() if first else 0.0


def _uuid(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError as error:
        raise NotFoundError("There is no such id.") from error
