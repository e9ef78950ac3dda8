"""Changes in Kubeflow on behalf of people: each call checks the permission, asks Kubeflow, and writes an audit entry.

Only this module makes calls that change something in Kubeflow. Kubeflow itself applies all further rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs import exceptions, services
from apps.runs.entities import Pipeline, PipelineVersion, Run
from apps.runs.gateway import Gateway

_T = TypeVar("_T")
_AT_ONCE: Final = 4
RUN_ACTIONS: Final[Mapping[str, Callable[[Gateway, str], None]]] = {
    "terminate": Gateway.run_terminate,
    "archive": Gateway.run_archive,
    "unarchive": Gateway.run_unarchive,
    "retry": Gateway.run_retry,
    "delete": Gateway.run_delete,
}
RECURRING_ACTIONS: Final[Mapping[str, Callable[[Gateway, str], None]]] = {
    "enable": Gateway.recurring_run_enable,
    "disable": Gateway.recurring_run_disable,
    "delete": Gateway.recurring_run_delete,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """Options of a run to start.

    Attributes:
        version: a version without an id is started from its spec.
        new_experiment: the name of an experiment to create for it; "" to use `experiment_id`.
    """

    name: str
    version: PipelineVersion
    pipeline_id: str = ""
    description: str = ""
    experiment_id: str = ""
    new_experiment: str = ""
    pipeline_root: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plugins_input: Mapping[str, Any] = field(default_factory=dict)


def run_change(caller: Caller, gateway: Gateway, run_id: str, action: str) -> str:
    """Applies one of RUN_ACTIONS to a run in Kubeflow; returns the reason if Kubeflow refused, else "".

    Raises:
        PermissionDenied: the caller may not change runs.
        RunsError: Kubeflow does not answer, or the caller may not see the run.
    """
    caller.require(Right.CREATE)
    name = gateway.run(run_id).name
    try:
        _asked(caller, f"run.{action}", lambda: RUN_ACTIONS[action](gateway, run_id), target=run_id, target_name=name)
    except exceptions.InvalidRequestError as error:
        return str(error)
    if action == "delete":
        services.run_forget(caller, gateway, run_id)
    return ""


def runs_change(caller: Caller, gateway: Gateway, run_ids: Sequence[str], action: str) -> dict[str, str]:
    """Applies one of RUN_ACTIONS to each run, four at a time; returns by run id why Kubeflow refused, "" on success.

    Raises:
        PermissionDenied: the caller may not change runs.
    """
    caller.require(Right.CREATE)

    def ask(run_id: str) -> str:
        try:
            RUN_ACTIONS[action](gateway, run_id)
        except exceptions.RunsError as error:
            return exceptions.words_of(error)
        return ""

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        refusals = dict(zip(run_ids, pool.map(ask, run_ids), strict=True))
    for run_id, reason in refusals.items():
        outcome = "refused" if reason else "done"
        audit.record(caller, f"run.{action}", target=run_id, outcome=outcome, detail=reason)
        if action == "delete" and not reason:
            services.run_forget(caller, gateway, run_id)
    return refusals


def recurring_run_change(caller: Caller, gateway: Gateway, recurring_run_id: str, action: str) -> str:
    """Applies one of RECURRING_ACTIONS to a recurring run; returns the reason if Kubeflow refused, else "".

    Raises:
        PermissionDenied, RunsError: as `run_change`.
    """
    caller.require(Right.CREATE)
    name = gateway.recurring_run(recurring_run_id).name
    call = RECURRING_ACTIONS[action]
    try:
        _asked(
            caller,
            f"recurring_run.{action}",
            lambda: call(gateway, recurring_run_id),
            target=recurring_run_id,
            target_name=name,
        )
    except exceptions.InvalidRequestError as error:
        return str(error)
    return ""


def run_start(caller: Caller, gateway: Gateway, start: RunStart) -> Run:
    """Starts a run, in a new experiment if one is named.

    Raises:
        PermissionDenied: the caller may not start runs.
        RunsError: Kubeflow does not answer, or refuses.
    """
    caller.require(Right.CREATE)
    experiment_id = start.experiment_id
    if start.new_experiment:
        name = start.new_experiment
        created = _asked(caller, "experiment.create", lambda: gateway.experiment_create(name), target_name=name)
        experiment_id = created.id
    run = _asked(
        caller,
        "run.create",
        lambda: gateway.run_create(
            name=start.name,
            description=start.description,
            pipeline_id=start.pipeline_id,
            version_id=start.version.id,
            spec=start.version.spec,
            experiment_id=experiment_id,
            parameters=start.parameters,
            pipeline_root=start.pipeline_root,
            plugins_input=start.plugins_input,
        ),
        target_name=start.name,
    )
    return replace(run, name=run.name or start.name)


def pipeline_upload(caller: Caller, gateway: Gateway, file: Any, *, name: str, description: str) -> Pipeline:
    """Uploads a compiled pipeline from a file. Kubeflow receives the content, never an address to fetch.

    Raises:
        PermissionDenied, RunsError: as `run_start`.
    """
    caller.require(Right.CREATE)
    upload = lambda: gateway.pipeline_upload(file, name, description)  # noqa: E731
    return _asked(caller, "pipeline.upload", upload, target_name=name)


def pipeline_version_upload(
    caller: Caller, gateway: Gateway, file: Any, *, name: str, pipeline_id: str
) -> PipelineVersion:
    """Uploads the next version of a pipeline.

    Raises:
        PermissionDenied, RunsError: as `run_start`.
    """
    caller.require(Right.CREATE)
    upload = lambda: gateway.pipeline_version_upload(file, name, pipeline_id)  # noqa: E731
    return _asked(caller, "pipeline.version_upload", upload, target=pipeline_id, target_name=name)


def _asked(caller: Caller, action: str, call: Callable[[], _T], *, target: str = "", target_name: str = "") -> _T:
    """Calls Kubeflow and writes the audit entry, including one for a refusal.

    Args:
        target: the id of the object concerned; "" to take it from the answer.
    """
    try:
        answer = call()
    except exceptions.RunsError as error:
        audit.record(caller, action, target=target, target_name=target_name, outcome="refused", detail=str(error))
        raise
    audit.record(caller, action, target=target or getattr(answer, "id", ""), target_name=target_name)
    return answer
