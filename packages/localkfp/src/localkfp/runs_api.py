"""/apis/v2beta1/runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any, Final

from localkfp import experiments_api, filters, pipelines_api, run_state, shapes, specs
from localkfp.calls import Call, text_of
from localkfp.errors import bad_request, not_found, wrong_state
from localkfp.run_state import CANCELED, FAILED, PENDING
from localkfp.store import Row, Store, new_id, now

_LISTING: Final = filters.Listing(
    table="runs",
    tie="number",
    columns={
        "id": "id",
        "run_id": "id",
        "name": "display_name",
        "display_name": "display_name",
        "description": "description",
        "created_at": "created_at",
        "finished_at": "finished_at",
        "scheduled_at": "started_at",
        "status": "state",
        "state": "state",
        "storage_state": "storage_state",
        "experiment_id": "experiment_id",
        "recurring_run_id": "recurring_run_id",
        "namespace": "''",
    },
)


def list_runs(call: Call) -> dict[str, Any]:
    """GET: a page of runs."""
    fixed = {"experiment_id": call.query.get("experiment_id")}
    if fixed["experiment_id"]:
        experiments_api.find(call.store, fixed["experiment_id"])
    page = filters.list_rows(call.store, _LISTING, call.query, fixed)
    found = [shapes.run(row) for row in page.rows]
    return {"runs": found, "total_size": page.total, "next_page_token": page.next_token}


def create_run(call: Call) -> dict[str, Any]:
    """POST: adds a run of a spec or a pipeline version; it starts when it is its turn."""
    body = call.json()
    config = body.get("runtime_config") or {}
    if not isinstance(config, dict):
        raise bad_request("runtime_config must be an object.")
    if not text_of(body, "display_name"):
        raise bad_request("The run has no display_name.")
    refuse_plugins(body)
    asked = text_of(body, "experiment_id") or call.query.get("experiment_id", "")
    experiment = experiments_api.find(call.store, asked) if asked else experiments_api.default_experiment(call.store)
    row = add_run(
        call.store,
        experiment_id=experiment["id"],
        spec=body.get("pipeline_spec"),
        reference=reference_of(body),
        display_name=text_of(body, "display_name"),
        description=text_of(body, "description"),
        parameters=config.get("parameters") or {},
        pipeline_root=text_of(config, "pipeline_root"),
        service_account=text_of(body, "service_account"),
    )
    call.scheduler.wake()
    return shapes.run(row)


def get_run(call: Call) -> dict[str, Any]:
    """GET one run, with its task details."""
    row = find(call.store, call.path["id"])
    executions = call.store.all("SELECT * FROM executions WHERE run_id = ? ORDER BY id", row["id"])
    return shapes.run(row, executions)


def archive_run(call: Call) -> dict[str, Any]:
    """POST :archive."""
    return _set_storage(call, "ARCHIVED")


def unarchive_run(call: Call) -> dict[str, Any]:
    """POST :unarchive."""
    return _set_storage(call, "AVAILABLE")


def terminate_run(call: Call) -> dict[str, Any]:
    """POST :terminate."""
    row = find(call.store, call.path["id"])
    if not call.scheduler.terminate(row["id"]):
        raise bad_request(f"Run {row['id']} is {row['state']} and cannot be terminated.")
    return {}


def retry_run(call: Call) -> dict[str, Any]:
    """POST :retry: restarts a failed or canceled run; every step runs again, because nothing is cached here."""
    row = find(call.store, call.path["id"])
    if not run_state.change(call.store, row["id"], PENDING, from_states=(FAILED, CANCELED)):
        raise wrong_state(f"Run {row['id']} is {row['state']}: only failed or canceled runs can be retried.")
    call.scheduler.wake()
    return {}


def delete_run(call: Call) -> dict[str, Any]:
    """DELETE: removes the run, its lineage and its logs; its artifacts stay, as in Kubeflow's object store."""
    row = find(call.store, call.path["id"])
    call.scheduler.terminate(row["id"])
    call.store.run("DELETE FROM runs WHERE id = ?", row["id"])
    shutil.rmtree(call.places.run(row["id"]), ignore_errors=True)
    return {}


def add_run(
    store: Store,
    *,
    experiment_id: str,
    spec: Any = None,
    reference: Mapping[str, str] | None = None,
    display_name: str = "",
    description: str = "",
    parameters: Any = None,
    pipeline_root: str = "",
    service_account: str = "",
    recurring_run_id: str = "",
) -> Row:
    """Adds a pending run and returns its row.

    Args:
        experiment_id: of an existing experiment.
        spec, reference: a compiled pipeline, or `pipeline_id` and `pipeline_version_id` ("" for the newest version).
        display_name: "" for the pipeline's name and an id.
        pipeline_root: where its artifacts are written; only minio:// locations are supported.
        recurring_run_id: the recurring run that starts it.

    Raises:
        ApiError: 400 for a spec or parameters that cannot be run, 404 for an unknown version.
    """
    version = _version(store, reference or {}) if spec is None else None
    if not isinstance(parameters or {}, dict):
        raise bad_request("runtime_config.parameters must be an object.")
    spec = _checked(json.loads(version["spec"]) if version else spec)
    run_id, at = new_id(), now()
    typed = specs.read_parameters(spec, parameters or {})
    store.insert(
        "runs",
        id=run_id,
        experiment_id=experiment_id,
        display_name=display_name or f"{specs.pipeline_name(spec)} {run_id[:8]}",
        description=description,
        created_at=at,
        state=PENDING,
        pipeline_id=version["pipeline_id"] if version else None,
        version_id=version["id"] if version else None,
        spec=json.dumps(spec),
        parameters=json.dumps(typed),
        pipeline_root=pipeline_root,
        service_account=service_account,
        recurring_run_id=recurring_run_id,
        history=json.dumps([shapes.history_entry(PENDING, at)]),
    )
    store.run("UPDATE experiments SET last_run_created_at = ? WHERE id = ?", at, experiment_id)
    return find(store, run_id)


def find(store: Store, run_id: str) -> Row:
    """Returns a run's row.

    Raises:
        ApiError: 404.
    """
    row = store.one("SELECT * FROM runs WHERE id = ?", run_id)
    if row is None:
        raise not_found("Run", run_id)
    return row


def spec_of(store: Store, spec: Any, reference: Mapping[str, str]) -> dict[str, Any]:
    """Returns the spec that a new run would get; arguments and errors as for `add_run`."""
    return _checked(json.loads(_version(store, reference)["spec"]) if spec is None else spec)


def _checked(spec: Any) -> dict[str, Any]:
    if not isinstance(spec, dict):
        raise bad_request("pipeline_spec must be an object.")
    specs.check(spec)
    return spec


def refuse_plugins(body: Mapping[str, Any]) -> None:
    """Rejects settings for plugins: there are none, and silently ignored settings would be missed later."""
    if body.get("plugins_input"):
        raise bad_request("localkfp has no plugins: leave plugins_input out.")


def reference_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Returns `pipeline_id` and `pipeline_version_id` from a body; "" for missing ones."""
    found = body.get("pipeline_version_reference") or {}
    if not isinstance(found, dict):
        raise bad_request("pipeline_version_reference must be an object.")
    version_id = text_of(found, "pipeline_version_id") or text_of(body, "pipeline_version_id")
    return {"pipeline_id": text_of(found, "pipeline_id"), "pipeline_version_id": version_id}


def _version(store: Store, reference: Mapping[str, str]) -> Row:
    pipeline_id, version_id = reference.get("pipeline_id", ""), reference.get("pipeline_version_id", "")
    if version_id and not pipeline_id:
        row = store.one("SELECT pipeline_id FROM versions WHERE id = ?", version_id)
        pipeline_id = row["pipeline_id"] if row else ""
    if not pipeline_id and not version_id:
        raise bad_request("The run names neither a pipeline_spec nor a pipeline_version_reference.")
    return pipelines_api.find_version(store, pipeline_id, version_id)


def _set_storage(call: Call, state: str) -> dict[str, Any]:
    row = find(call.store, call.path["id"])
    call.store.run("UPDATE runs SET storage_state = ? WHERE id = ?", state, row["id"])
    return {}
