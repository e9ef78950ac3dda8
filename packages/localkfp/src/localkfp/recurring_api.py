"""/apis/v2beta1/recurringruns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from localkfp import experiments_api, filters, runs_api, shapes, specs
from localkfp.calls import Call, text_of
from localkfp.errors import bad_request, not_found
from localkfp.schedules import cron_fields
from localkfp.store import Row, Store, new_id, now

_MOST_AT_ONCE: Final = 10
_LISTING: Final = filters.Listing(
    table="recurring_runs",
    tie="number",
    columns={
        "id": "id",
        "recurring_run_id": "id",
        "name": "display_name",
        "display_name": "display_name",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "description": "description",
    },
)


def list_recurring_runs(call: Call) -> dict[str, Any]:
    """GET: a page of recurring runs."""
    page = filters.list_rows(call.store, _LISTING, call.query, {"experiment_id": call.query.get("experiment_id")})
    found = [shapes.recurring_run(row) for row in page.rows]
    # The only list of the API whose name is in camel case.
    return {"recurringRuns": found, "total_size": page.total, "next_page_token": page.next_token}


def create_recurring_run(call: Call) -> dict[str, Any]:
    """POST: adds a recurring run of a spec or a pipeline; without a version, each run uses the newest one."""
    body = call.json()
    config = _object(body, "runtime_config")
    runs_api.refuse_plugins(body)
    if not text_of(body, "display_name"):
        raise bad_request("The recurring run has no display_name.")
    reference = runs_api.reference_of(body)
    spec, parameters = body.get("pipeline_spec"), config.get("parameters") or {}
    checked = runs_api.spec_of(call.store, spec, reference)
    if not isinstance(parameters, dict):
        raise bad_request("runtime_config.parameters must be an object.")
    asked = text_of(body, "experiment_id")
    experiment = experiments_api.find(call.store, asked) if asked else experiments_api.default_experiment(call.store)
    at = now()
    recurring_id = new_id()
    call.store.insert(
        "recurring_runs",
        id=recurring_id,
        display_name=text_of(body, "display_name"),
        description=text_of(body, "description"),
        experiment_id=experiment["id"],
        pipeline_id=reference["pipeline_id"] or None,
        version_id=reference["pipeline_version_id"] or None,
        spec=json.dumps(spec) if spec is not None else "",
        parameters=json.dumps(specs.read_parameters(checked, parameters)),
        pipeline_root=text_of(config, "pipeline_root"),
        service_account=text_of(body, "service_account"),
        max_concurrency=_at_once(body),
        no_catchup=bool(body.get("no_catchup")),
        is_enabled=_is_enabled(body),
        created_at=at,
        updated_at=at,
        **_trigger(_object(body, "trigger")),
    )
    call.schedules.wake()
    return shapes.recurring_run(find(call.store, recurring_id))


def get_recurring_run(call: Call) -> dict[str, Any]:
    """GET one recurring run."""
    return shapes.recurring_run(find(call.store, call.path["id"]))


def enable_recurring_run(call: Call) -> dict[str, Any]:
    """POST :enable; makes up for runs missed while it was disabled, unless `no_catchup`."""
    return _enable(call, is_enabled=True)


def disable_recurring_run(call: Call) -> dict[str, Any]:
    """POST :disable; its active runs continue."""
    return _enable(call, is_enabled=False)


def delete_recurring_run(call: Call) -> dict[str, Any]:
    """DELETE one recurring run; its runs stay."""
    row = find(call.store, call.path["id"])
    call.store.run("DELETE FROM recurring_runs WHERE id = ?", row["id"])
    return {}


def start_run(store: Store, row: Row, due: float) -> Row:
    """Adds the run of a recurring run that is due.

    Raises:
        ApiError: its pipeline no longer exists, or its parameters have changed.
    """
    reference = {"pipeline_id": row["pipeline_id"] or "", "pipeline_version_id": row["version_id"] or ""}
    stamp = datetime.fromtimestamp(due).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return runs_api.add_run(
        store,
        experiment_id=row["experiment_id"],
        spec=json.loads(row["spec"]) if row["spec"] else None,
        reference=reference,
        display_name=f"{row['display_name']} {stamp}",
        parameters=json.loads(row["parameters"]),
        pipeline_root=row["pipeline_root"],
        service_account=row["service_account"],
        recurring_run_id=row["id"],
    )


def find(store: Store, recurring_id: str) -> Row:
    """Returns a recurring run's row.

    Raises:
        ApiError: 404.
    """
    row = store.one("SELECT * FROM recurring_runs WHERE id = ?", recurring_id)
    if row is None:
        raise not_found("RecurringRun", recurring_id)
    return row


def _enable(call: Call, *, is_enabled: bool) -> dict[str, Any]:
    row = find(call.store, call.path["id"])
    call.store.run(
        "UPDATE recurring_runs SET is_enabled = ?, updated_at = ? WHERE id = ?", is_enabled, now(), row["id"]
    )
    call.schedules.wake()
    return {}


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object.")
    return value


def _at_once(body: Mapping[str, Any]) -> int:
    try:
        count = int(body.get("max_concurrency") or 1)
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count <= _MOST_AT_ONCE:
        raise bad_request(f"max_concurrency must be 1 to {_MOST_AT_ONCE}.")
    return count


def _is_enabled(body: Mapping[str, Any]) -> bool:
    mode = body.get("mode")
    if mode not in {"ENABLE", "DISABLE"}:
        raise bad_request("mode must be ENABLE or DISABLE.")
    return bool(mode == "ENABLE")


def _trigger(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns of a trigger; without a schedule, which Kubeflow accepts too, no run is ever due."""
    cron, periodic = _object(trigger, "cron_schedule"), _object(trigger, "periodic_schedule")
    if cron and periodic:
        raise bad_request("The trigger must have a cron_schedule or a periodic_schedule, not both.")
    expression = text_of(cron, "cron")
    if cron and not cron_fields(expression):
        raise bad_request(f"{expression!r} is not a cron expression: it has six fields, seconds first, or five.")
    schedule = cron or periodic
    return {
        "cron": expression,
        "interval_s": _interval(periodic) if periodic else 0,
        "starts_at": _time(schedule, "start_time"),
        "ends_at": _time(schedule, "end_time"),
    }


def _interval(periodic: Mapping[str, Any]) -> int:
    try:
        seconds = int(periodic.get("interval_second") or 0)
    except (TypeError, ValueError):
        seconds = 0
    if seconds < 1:
        raise bad_request("interval_second must be a positive number.")
    return seconds


def _time(schedule: Mapping[str, Any], name: str) -> float | None:
    text = text_of(schedule, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise bad_request(f"{name} {text!r} is not a time.") from error
