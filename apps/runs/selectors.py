"""Reads for the pages: what a list is filtered by, and one artifact found inside its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from apps.runs.entities import Artifact, Experiment, Page, Pipeline, Run, RunDetails, State, Step
from apps.runs.exceptions import NotFoundError
from apps.runs.gateway import Gateway
from apps.runs.gateway.filters import SORTS

PAGE_SIZES: Final = (20, 50, 100, 200)
_CHOICES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilters:
    """What the run list is asked for; all of it stands in the address."""

    text: str = ""
    state: State | None = None
    pipeline_id: str = ""
    experiment_id: str = ""
    archived: bool = False
    sort: str = "-created"
    page_size: int = PAGE_SIZES[0]
    page_token: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> RunFilters:
        """Reads an address' query; what makes no sense is left out, so that an old link still opens."""
        size = query.get("size", "")
        sort = query.get("sort", "")
        return cls(
            text=query.get("q", "").strip()[:200],
            state=_state(query.get("state", "")),
            pipeline_id=query.get("pipeline", "")[:200],
            experiment_id=query.get("experiment", "")[:200],
            archived=query.get("archived", "") in {"1", "on", "true"},
            sort=sort if sort in SORTS else "-created",
            page_size=int(size) if size in {str(allowed) for allowed in PAGE_SIZES} else PAGE_SIZES[0],
            page_token=query.get("page", "")[:2000],
        )

    @property
    def is_any_set(self) -> bool:
        """Whether runs are left out by choice: an empty list then is no empty portal."""
        return bool(self.text or self.state or self.pipeline_id or self.experiment_id or self.archived)


def _state(value: str) -> State | None:
    try:
        return State(value.lower()) if value else None
    except ValueError:
        return None


def runs_list(gateway: Gateway, filters: RunFilters) -> Page[Run]:
    """Returns one page of runs."""
    return gateway.runs(
        text=filters.text,
        state=filters.state,
        pipeline_id=filters.pipeline_id,
        experiment_id=filters.experiment_id,
        archived=filters.archived,
        sort=filters.sort,
        page_size=filters.page_size,
        page_token=filters.page_token,
    )


def pipeline_choices(gateway: Gateway) -> tuple[Pipeline, ...]:
    """Returns the newest pipelines, for a choice and for names."""
    return gateway.pipelines(page_size=_CHOICES).items


def experiment_choices(gateway: Gateway) -> tuple[Experiment, ...]:
    """Returns the newest experiments, for a choice and for names."""
    return gateway.experiments(page_size=_CHOICES).items


def named(runs: tuple[Run, ...], pipelines: tuple[Pipeline, ...]) -> tuple[Run, ...]:
    """Returns the runs with their pipelines' names: a list answer carries ids only."""
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


def artifact_get(details: RunDetails, step_id: str, artifact_id: str) -> tuple[Step, Artifact]:
    """Returns an artifact as one step of this run saw it: an id is only ever looked up inside its run.

    Raises:
        NotFoundError: the run has no such step, or the step no such artifact.
    """
    step = step_get(details, step_id)
    found = next((item for item in step.artifacts if item.id == artifact_id), None)
    if found is None:
        raise NotFoundError(f"The step {step.name} has no artifact {artifact_id}.")
    return step, found
