"""Queries for the pages: lists, the portal's own records about runs, and artifacts within their run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from django.db.models import Q, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import access
from apps.runs.entities import Artifact, Experiment, Page, Pipeline, Run, RunDetails, Step
from apps.runs.exceptions import NotFoundError
from apps.runs.gateway import Gateway
from apps.runs.gateway.filters import MOST_IDS
from apps.runs.models import RunMetrics, RunTag, SavedFilter
from apps.runs.run_filters import RunFilters

_CHOICES: Final = 200
_LONGEST_PATH: Final = 800


def runs_list(caller: Caller, gateway: Gateway, filters: RunFilters) -> Page[Run]:
    """Returns one page of runs."""
    caller.require(Right.VIEW)
    question = filters.question
    if filters.tag:
        question = replace(question, run_ids=runs_tagged(caller, gateway, filters.tag))
    return gateway.runs(
        question,
        pipeline_id=filters.pipeline_id,
        page_size=filters.page_size,
        page_token=filters.page_token,
    )


def runs_tagged(caller: Caller, gateway: Gateway, tag: str) -> tuple[str, ...]:
    """Returns the ids of the runs that were given a tag most recently, at most MOST_IDS."""
    rows = _tags(caller, gateway).filter(name=tag).order_by("-created_at").values_list("run_id", flat=True)
    return tuple(rows[:MOST_IDS])


def _tags(caller: Caller, gateway: Gateway) -> QuerySet[RunTag]:
    """Returns the tags in the gateway's namespace; empty if this person may not read it."""
    caller.require(Right.VIEW)
    place = gateway.endpoint
    if not access.may_read(caller, place.key, place.namespace):
        return RunTag.objects.none()
    return RunTag.objects.filter(endpoint_key=place.key, **({"namespace": place.namespace} if place.namespace else {}))


def tag_choices(caller: Caller, gateway: Gateway) -> list[str]:
    """Returns the tags in use, sorted by name."""
    return list(_tags(caller, gateway).order_by("name").values_list("name", flat=True).distinct()[:_CHOICES])


def tags_of(caller: Caller, gateway: Gateway, runs: Iterable[Run]) -> dict[str, list[str]]:
    """Returns tags by run id, for runs that Kubeflow returned to this person."""
    caller.require(Right.VIEW)
    found: dict[str, list[str]] = {}
    rows = RunTag.objects.filter(endpoint_key=gateway.endpoint.key, run_id__in=[run.id for run in runs])
    for run_id, name in rows.order_by("name").values_list("run_id", "name"):
        found.setdefault(run_id, []).append(name)
    return found


def run_tags(caller: Caller, endpoint_key: str, run: Run) -> list[str]:
    """Returns the tags, sorted by name, of a run that Kubeflow returned to this person."""
    caller.require(Right.VIEW)
    rows = RunTag.objects.filter(endpoint_key=endpoint_key, run_id=run.id)
    return list(rows.order_by("name").values_list("name", flat=True))


def metrics_kept(caller: Caller, gateway: Gateway, runs: Iterable[Run]) -> dict[str, dict[str, float]]:
    """Returns the known metrics by run id, for runs that Kubeflow returned to this person."""
    caller.require(Right.VIEW)
    ends = {run.id: run.finished_at for run in runs if run.state.is_final}
    rows = RunMetrics.objects.filter(endpoint_key=gateway.endpoint.key, run_id__in=list(ends))
    return {row.run_id: row.values for row in rows if row.finished_at == ends[row.run_id]}


def saved_filters(caller: Caller, endpoint_key: str) -> QuerySet[SavedFilter]:
    """Returns a person's own filters, and those that others share."""
    caller.require(Right.VIEW)
    rows = SavedFilter.objects.filter(endpoint_key=endpoint_key).select_related("owner")
    return rows.filter(Q(owner=caller.user_id) | Q(is_shared=True)).order_by("name")


def pipeline_choices(gateway: Gateway) -> tuple[Pipeline, ...]:
    """Returns the newest pipelines, for select fields and for names."""
    return gateway.pipelines(page_size=_CHOICES).items


def experiment_choices(gateway: Gateway) -> tuple[Experiment, ...]:
    """Returns the newest experiments, for select fields and for names."""
    return gateway.experiments(page_size=_CHOICES).items


def named(runs: tuple[Run, ...], pipelines: tuple[Pipeline, ...]) -> tuple[Run, ...]:
    """Returns the runs with their pipelines' names; a list answer contains only ids."""
    names = {pipeline.id: pipeline.name for pipeline in pipelines}
    return tuple(replace(run, pipeline_name=names.get(run.pipeline_id, run.pipeline_name)) for run in runs)


def step_get(details: RunDetails, step_id: str) -> Step:
    """Returns a run's step.

    Raises:
        NotFoundError: the run has no such step.
    """
    step = details.step(step_id)
    if step is None:
        raise NotFoundError(f"The run {details.run.name} has no step {step_id}.")
    return step


def artifact_within(artifact: Artifact, path: str) -> Artifact:
    """Returns one file of an artifact that is a folder; the artifact itself for "".

    Raises:
        NotFoundError: the path leads out of the folder.
    """
    if not path:
        return artifact
    parts = path.split("/")
    if len(path) > _LONGEST_PATH or "\\" in path or any(part in {"", ".", ".."} for part in parts):
        raise NotFoundError(f"The artifact {artifact.name} has no file {path[:100]!r}.")
    return replace(artifact, uri=f"{artifact.uri.rstrip('/')}/{path}", name=parts[-1], type="system.Artifact")


def artifact_get(details: RunDetails, step_id: str, artifact_id: str) -> tuple[Step, Artifact]:
    """Returns an artifact as one step of this run saw it. Ids are only ever looked up within their run.

    Raises:
        NotFoundError: the run has no such step, or the step has no such artifact.
    """
    step = step_get(details, step_id)
    found = next((item for item in step.artifacts if item.id == artifact_id), None)
    if found is None:
        raise NotFoundError(f"The step {step.name} has no artifact {artifact_id}.")
    return step, found
