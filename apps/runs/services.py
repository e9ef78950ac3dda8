"""What people do to runs here that Kubeflow has no place for: tags, saved filters, metrics kept for the list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from apps.runs import charts
from apps.runs.entities import Run, RunDetails
from apps.runs.exceptions import InvalidRequestError, RunsError
from apps.runs.gateway import Gateway
from apps.runs.models import LONGEST_TAG, RunMetrics, RunTag, SavedFilter

_SPACES: Final = re.compile(r"\s+")
_MOST_TAGS: Final = 20
_MOST_FILTERS: Final = 50
_MOST_METRICS: Final = 50
_AT_ONCE: Final = 4


def tag_clean(text: str) -> str:
    """Returns a tag as it is kept: one line, single spaces.

    Raises:
        InvalidRequestError: nothing is left, or too much.
    """
    name = _SPACES.sub(" ", text.replace("\x00", "")).strip().strip(",")
    if not name:
        raise InvalidRequestError("Type a tag.")
    if len(name) > LONGEST_TAG:
        raise InvalidRequestError(f"A tag has at most {LONGEST_TAG} characters; this one has {len(name)}.")
    return name


def tags_add(user: Any, gateway: Gateway, runs: Iterable[Run], text: str) -> str:
    """Puts a tag on runs that this person may see; one that is there already stays. Returns the tag.

    Raises:
        InvalidRequestError: no tag, too long, or the run has as many as one may have.
    """
    name = tag_clean(text)
    for run in runs:
        own = RunTag.objects.filter(endpoint_key=gateway.endpoint.key, run_id=run.id)
        if own.exclude(name=name).count() >= _MOST_TAGS:
            raise InvalidRequestError(f"{run.name} has {_MOST_TAGS} tags already, as many as a run may have.")
        RunTag.objects.get_or_create(
            endpoint_key=gateway.endpoint.key,
            run_id=run.id,
            name=name,
            defaults={"namespace": run.namespace or gateway.endpoint.namespace, "created_by": user},
        )
    return name


def tag_remove(gateway: Gateway, run: Run, name: str) -> None:
    """Takes a tag off a run."""
    RunTag.objects.filter(endpoint_key=gateway.endpoint.key, run_id=run.id, name=name).delete()


def run_forget(gateway: Gateway, run_id: str) -> None:
    """Forgets what is kept here of a run that was deleted from Kubeflow; saved visualizations stay."""
    own = {"endpoint_key": gateway.endpoint.key, "run_id": run_id}
    RunTag.objects.filter(**own).delete()
    RunMetrics.objects.filter(**own).delete()


def filter_save(user: Any, endpoint_key: str, *, name: str, query: str, is_shared: bool) -> SavedFilter:
    """Keeps a filter under a name; a filter of this person's of that name is replaced.

    Raises:
        InvalidRequestError: no name, no filter, or too many.
    """
    name = _SPACES.sub(" ", name.replace("\x00", "")).strip()[:80]
    if not name or not query:
        raise InvalidRequestError("Set a filter and type a name for it.")
    own = SavedFilter.objects.filter(owner=user, endpoint_key=endpoint_key)
    if own.exclude(name=name).count() >= _MOST_FILTERS:
        raise InvalidRequestError(f"You have {_MOST_FILTERS} saved filters already. Delete one first.")
    found, _ = SavedFilter.objects.update_or_create(
        owner=user, endpoint_key=endpoint_key, name=name, defaults={"query": query, "is_shared": is_shared}
    )
    return found


def metrics_of(details: RunDetails) -> dict[str, float]:
    """Returns a run's scalar metrics by name; one name from several steps carries the step's."""
    found: dict[str, dict[str, float]] = {}
    for step in details.steps:
        for artifact in step.artifacts:
            if artifact.direction == "output" and artifact.type == "system.Metrics":
                for name, value in charts.scalars(artifact.metadata).items():
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        found.setdefault(name, {})[step.name] = value
    flat: dict[str, float] = {}
    for name, by_step in found.items():
        is_one = len(by_step) == 1
        flat |= {(name if is_one else f"{step}: {name}"): value for step, value in by_step.items()}
    return dict(list(flat.items())[:_MOST_METRICS])


def metrics_read(gateway: Gateway, runs: Sequence[Run]) -> Mapping[str, Mapping[str, float]]:
    """Reads and keeps the metrics of runs that have ended, four at a time; a run that cannot be read is left out."""

    def read(run: Run) -> tuple[Run, dict[str, float]] | None:
        try:
            details = gateway.run_details(run.id)
        except RunsError:
            return None
        # Without its lineage a run looks as if it had no metrics: that must not be kept.
        return None if details.notice or not details.run.state.is_final else (details.run, metrics_of(details))

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = [pair for pair in pool.map(read, runs) if pair is not None]
    for run, values in found:
        RunMetrics.objects.update_or_create(
            endpoint_key=gateway.endpoint.key,
            run_id=run.id,
            defaults={"finished_at": run.finished_at, "values": values},
        )
    return {run.id: values for run, values in found}
