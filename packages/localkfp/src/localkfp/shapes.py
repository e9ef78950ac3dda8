"""Converts rows of the store to the JSON of Kubeflow 2.17, including its quirks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from localkfp.store import Row

NAMESPACE: Final = ""
_TASK_STATES: Final = {
    0: "RUNTIME_STATE_UNSPECIFIED",
    1: "PENDING",
    2: "RUNNING",
    3: "SUCCEEDED",
    4: "FAILED",
    5: "SUCCEEDED",
    6: "SKIPPED",
}


# Fields with people's own JSON, which is returned unchanged.
_FREE: Final = frozenset({"pipeline_spec", "parameters"})


def without_empty(value: Any) -> Any:
    """Returns an answer without fields that contain "", 0, false or an empty list, as Kubeflow's gateway omits them."""
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: item if name in _FREE else without_empty(item) for name, item in value.items()}
    # Empty messages are kept, empty maps are not.
    return {name: item for name, item in found.items() if item or (isinstance(item, dict) and name != "tags")}


def moment(seconds: float | None) -> str:
    """Returns a time in whole seconds; 1970 for None, which is Kubeflow's value for "not yet"."""
    return datetime.fromtimestamp(int(seconds or 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def experiment(row: Row) -> dict[str, Any]:
    """Returns a v2beta1Experiment."""
    return {
        "experiment_id": row["id"],
        "display_name": row["name"],
        "description": row["description"],
        "created_at": moment(row["created_at"]),
        "last_run_created_at": moment(row["last_run_created_at"]),
        "namespace": NAMESPACE,
        "storage_state": row["storage_state"],
    }


def pipeline(row: Row) -> dict[str, Any]:
    """Returns a v2beta1Pipeline."""
    return {
        "pipeline_id": row["id"],
        "name": row["name"],
        "display_name": row["display_name"],
        "description": row["description"],
        "tags": json.loads(row["tags"]),
        "created_at": moment(row["created_at"]),
    }


def version(row: Row) -> dict[str, Any]:
    """Returns a v2beta1PipelineVersion."""
    return {
        "pipeline_id": row["pipeline_id"],
        "pipeline_version_id": row["id"],
        "name": row["name"],
        "display_name": row["display_name"],
        "description": row["description"],
        "tags": json.loads(row["tags"]),
        "created_at": moment(row["created_at"]),
        "pipeline_spec": json.loads(row["spec"]),
    }


def run(row: Row, executions: Iterable[Row] | None = None) -> dict[str, Any]:
    """Returns a v2beta1Run.

    Args:
        row: of the table `runs`.
        executions: the run's, for its run_details; None in a list, which omits them.
    """
    body: dict[str, Any] = {
        "experiment_id": row["experiment_id"],
        "run_id": row["id"],
        "display_name": row["display_name"],
        "storage_state": row["storage_state"],
        "description": row["description"],
        "runtime_config": _runtime_config(row),
        "service_account": row["service_account"] or "pipeline-runner",
        "created_at": moment(row["created_at"]),
        "scheduled_at": moment(row["started_at"]),
        "finished_at": moment(row["finished_at"]),
        "state": row["state"],
        "state_history": json.loads(row["history"]),
    }
    if row["version_id"]:
        # Kubeflow omits the spec of these runs: it has to be fetched with the version.
        body["pipeline_version_reference"] = {
            "pipeline_id": row["pipeline_id"],
            "pipeline_version_id": row["version_id"],
        }
    else:
        body["pipeline_spec"] = json.loads(row["spec"])
    if row["recurring_run_id"]:
        body["recurring_run_id"] = row["recurring_run_id"]
    if row["error"]:
        body["error"] = {"code": 13, "message": row["error"]}
    if executions is not None:
        body["run_details"] = {"task_details": task_details(row, executions)}
    return body


def recurring_run(row: Row) -> dict[str, Any]:
    """Returns a v2beta1RecurringRun."""
    columns = {"start_time": "starts_at", "end_time": "ends_at"}
    times = {name: moment(row[column]) for name, column in columns.items() if row[column]}
    if row["cron"]:
        trigger = {"cron_schedule": {"cron": row["cron"], **times}}
    elif not row["interval_s"]:
        trigger = {}
    else:
        # A 64-bit number, which protobuf's JSON writes as text.
        trigger = {"periodic_schedule": {"interval_second": str(row["interval_s"]), **times}}
    body: dict[str, Any] = {
        "recurring_run_id": row["id"],
        "display_name": row["display_name"],
        "description": row["description"],
        "experiment_id": row["experiment_id"],
        "runtime_config": _runtime_config(row),
        "service_account": row["service_account"] or "pipeline-runner",
        "max_concurrency": str(row["max_concurrency"]),
        "trigger": trigger,
        "mode": "ENABLE" if row["is_enabled"] else "DISABLE",
        "status": "ENABLED" if row["is_enabled"] else "DISABLED",
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
        "no_catchup": bool(row["no_catchup"]),
    }
    if row["spec"]:
        body["pipeline_spec"] = json.loads(row["spec"])
    else:
        reference = {"pipeline_id": row["pipeline_id"], "pipeline_version_id": row["version_id"]}
        body["pipeline_version_reference"] = {name: value for name, value in reference.items() if value}
    if row["error"]:
        body["error"] = {"code": 13, "message": row["error"]}
    return body


def history_entry(state: str, at: float, error: str = "") -> dict[str, Any]:
    """Returns one v2beta1RuntimeStatus."""
    entry: dict[str, Any] = {"update_time": moment(at), "state": state}
    return {**entry, "error": {"code": 13, "message": error}} if error else entry


def task_details(row: Row, executions: Iterable[Row]) -> list[dict[str, Any]]:
    """Returns the Argo-like nodes: the root, and one per step with its pod's name.

    As in Kubeflow, they contain neither inputs, outputs, execution ids nor parents, which are in the lineage.
    """
    if row["started_at"] is None:
        return []
    root = {
        "run_id": row["id"],
        "task_id": f"{row['id']}-root",
        "display_name": row["display_name"],
        "create_time": moment(row["started_at"]),
        "start_time": moment(row["started_at"]),
        "end_time": moment(row["finished_at"]),
        "state": row["state"],
        "state_history": json.loads(row["history"]),
    }
    return [root, *(_task(row["id"], item) for item in executions if item["task_name"])]


def _task(run_id: str, row: Row) -> dict[str, Any]:
    state, started = _TASK_STATES.get(row["state"], "RUNTIME_STATE_UNSPECIFIED"), row["created_ms"] / 1000
    ended = row["updated_ms"] / 1000 if row["state"] > 2 else None
    detail: dict[str, Any] = {
        "run_id": run_id,
        "task_id": row["pod_name"] or f"{run_id}-{row['id']}",
        "display_name": row["task_name"],
        "create_time": moment(started),
        "start_time": moment(started),
        "end_time": moment(ended),
        "state": state,
        "state_history": [history_entry(state, ended or started)],
    }
    return {**detail, "child_tasks": [{"pod_name": row["pod_name"]}]} if row["pod_name"] else detail


def _runtime_config(row: Row) -> Mapping[str, Any]:
    config: dict[str, Any] = {"parameters": json.loads(row["parameters"])}
    return {**config, "pipeline_root": row["pipeline_root"]} if row["pipeline_root"] else config
