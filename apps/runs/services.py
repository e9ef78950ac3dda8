"""The portal's own operations on runs, unknown to Kubeflow: tags, saved filters, metrics stored for the list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import charts
from apps.runs.entities import Run, RunDetails
from apps.runs.exceptions import InvalidRequestError, NotFoundError, RunsError, named_by_person
from apps.runs.gateway import Gateway
from apps.runs.models import LONGEST_TAG, RunMetrics, RunTag, SavedFilter

_SPACES: Final = re.compile(r"\s+")
_MOST_TAGS: Final = 20
_MOST_FILTERS: Final = 50
_MOST_METRICS: Final = 50
_AT_ONCE: Final = 4


def tag_clean(text: str) -> str:
    """Normalizes a tag: one line, single spaces.

    Raises:
        InvalidRequestError: the result is empty or too long.
    """
    name = _SPACES.sub(" ", text.replace("\x00", "")).strip().strip(",")
    if not name:
        raise InvalidRequestError("Type a tag.")
    if len(name) > LONGEST_TAG:
        raise InvalidRequestError(f"A tag has at most {LONGEST_TAG} characters; this one has {len(name)}.")
    return name


def tags_add(caller: Caller, gateway: Gateway, run_ids: Sequence[str], text: str) -> str:
    """Adds a tag to runs, ignoring those that already have it; returns the normalized tag.

    Each run is read first: only a person who may see a run may tag it.

    Raises:
        PermissionDenied: the caller may not change runs.
        RunsError: Kubeflow does not answer, or this person may not see one of the runs.
        InvalidRequestError: the tag is empty or too long, or the run has the maximum number of tags.
    """
    caller.require(Right.CREATE)
    name = tag_clean(text)
    with named_by_person(), ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        runs = list(pool.map(gateway.run, run_ids))
    for run in runs:
        own = RunTag.objects.filter(endpoint_key=gateway.endpoint.key, run_id=run.id)
        if own.exclude(name=name).count() >= _MOST_TAGS:
            raise InvalidRequestError(f"{run.name} has {_MOST_TAGS} tags already, as many as a run may have.")
        RunTag.objects.get_or_create(
            endpoint_key=gateway.endpoint.key,
            run_id=run.id,
            name=name,
            defaults={"namespace": run.namespace or gateway.endpoint.namespace, "created_by": caller.owner},
        )
    names = {"target_name": runs[0].name} if len(runs) == 1 else {}
    audit.record(caller, "run.tag", target=", ".join(run_ids), detail=name, **names)
    return name


def tag_remove(caller: Caller, gateway: Gateway, run_id: str, name: str) -> None:
    """Removes a tag from a run.

    Raises:
        PermissionDenied, RunsError: as `tags_add`.
    """
    caller.require(Right.CREATE)
    run = gateway.run(run_id)
    RunTag.objects.filter(endpoint_key=gateway.endpoint.key, run_id=run.id, name=name).delete()
    audit.record(caller, "run.untag", target=run.id, target_name=run.name, detail=name)


def run_forget(caller: Caller, gateway: Gateway, run_id: str) -> None:
    """Deletes the records about a run that was deleted from Kubeflow; saved visualizations stay.

    Raises:
        PermissionDenied: the caller may not change runs.
    """
    caller.require(Right.CREATE)
    own = {"endpoint_key": gateway.endpoint.key, "run_id": run_id}
    RunTag.objects.filter(**own).delete()
    RunMetrics.objects.filter(**own).delete()


def filter_save(caller: Caller, endpoint_key: str, *, name: str, query: str, is_shared: bool) -> SavedFilter:
    """Saves a filter under a name, replacing this person's filter of that name.

    Raises:
        PermissionDenied: the caller may not view anything.
        InvalidRequestError: no name, no filter, or too many filters.
    """
    caller.require(Right.VIEW)
    user = caller.owner
    name = _SPACES.sub(" ", name.replace("\x00", "")).strip()[:80]
    if not name or not query:
        raise InvalidRequestError("Set a filter and type a name for it.")
    own = SavedFilter.objects.filter(owner=user, endpoint_key=endpoint_key)
    if own.exclude(name=name).count() >= _MOST_FILTERS:
        raise InvalidRequestError(f"You have {_MOST_FILTERS} saved filters already. Delete one first.")
    found, _ = SavedFilter.objects.update_or_create(
        owner=user, endpoint_key=endpoint_key, name=name, defaults={"query": query, "is_shared": is_shared}
    )
    audit.record(caller, "filter.save", target=found.pk, target_name=name, detail="shared" if is_shared else "")
    return found


def filter_delete(caller: Caller, filter_id: int) -> None:
    """Deletes one of the caller's own filters.

    Raises:
        PermissionDenied: the caller may not view anything.
        NotFoundError: the caller has no such filter.
    """
    caller.require(Right.VIEW)
    found = SavedFilter.objects.filter(pk=filter_id, owner_id=caller.user_id).first()
    if found is None:
        raise NotFoundError("You have no such filter.")
    found.delete()
    audit.record(caller, "filter.delete", target=filter_id, target_name=found.name)


def metrics_of(details: RunDetails) -> dict[str, float]:
    """Returns a run's scalar metrics by name; a name that several steps use is prefixed with the step's."""
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


def metrics_read(caller: Caller, gateway: Gateway, runs: Sequence[Run]) -> Mapping[str, Mapping[str, float]]:
    """Reads and stores the metrics of runs that have ended, four at a time; skips runs that cannot be read.

    Raises:
        PermissionDenied: the caller may not view anything.
    """
    caller.require(Right.VIEW)

    def read(run: Run) -> tuple[Run, dict[str, float]] | None:
        try:
            details = gateway.run_details(run.id)
        except RunsError:
            return None
        # A run without its lineage looks as if it had no metrics, which must not be stored.
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
