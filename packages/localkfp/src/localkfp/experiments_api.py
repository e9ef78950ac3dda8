"""/apis/v2beta1/experiments."""

from __future__ import annotations

from typing import Any, Final

from localkfp import filters, shapes
from localkfp.calls import Call, text_of
from localkfp.errors import ApiError, bad_request, not_found, wrong_state
from localkfp.store import Row, Store, new_id, now

DEFAULT: Final = "Default"
_LISTING: Final = filters.Listing(
    table="experiments",
    tie="rowid",
    columns={
        "id": "id",
        "experiment_id": "id",
        "name": "name",
        "display_name": "name",
        "description": "description",
        "created_at": "created_at",
        "last_run_created_at": "last_run_created_at",
        "storage_state": "storage_state",
        "namespace": "''",
    },
)


def list_experiments(call: Call) -> dict[str, Any]:
    """GET: a page of experiments."""
    page = filters.list_rows(call.store, _LISTING, call.query)
    found = [shapes.experiment(row) for row in page.rows]
    return {"experiments": found, "total_size": page.total, "next_page_token": page.next_token}


def create_experiment(call: Call) -> dict[str, Any]:
    """POST: adds an experiment."""
    body = call.json()
    name = text_of(body, "display_name")
    if not name:
        raise bad_request("The experiment has no display_name.")
    if call.store.one("SELECT id FROM experiments WHERE name = ?", name):
        raise ApiError(409, f"An experiment with name {name} already exists. Please specify a new name.")
    return shapes.experiment(add_experiment(call.store, name, text_of(body, "description")))


def get_experiment(call: Call) -> dict[str, Any]:
    """GET one experiment."""
    return shapes.experiment(find(call.store, call.path["id"]))


def archive_experiment(call: Call) -> dict[str, Any]:
    """POST :archive: also archives its runs and disables its recurring runs; as in Kubeflow, nothing undoes that."""
    call.store.run("UPDATE runs SET storage_state = 'ARCHIVED' WHERE experiment_id = ?", call.path["id"])
    call.store.run(
        "UPDATE recurring_runs SET is_enabled = 0, updated_at = ? WHERE experiment_id = ?", now(), call.path["id"]
    )
    return _set_storage(call, "ARCHIVED")


def unarchive_experiment(call: Call) -> dict[str, Any]:
    """POST :unarchive."""
    return _set_storage(call, "AVAILABLE")


def delete_experiment(call: Call) -> dict[str, Any]:
    """DELETE: its runs stay, as in Kubeflow."""
    row = find(call.store, call.path["id"])
    if row["name"] == DEFAULT:
        raise wrong_state("The default experiment cannot be deleted.")
    call.store.run("DELETE FROM experiments WHERE id = ?", row["id"])
    return {}


def find(store: Store, experiment_id: str) -> Row:
    """Returns an experiment's row; raises a 404."""
    row = store.one("SELECT * FROM experiments WHERE id = ?", experiment_id)
    if row is None:
        raise not_found("Experiment", experiment_id)
    return row


def default_experiment(store: Store) -> Row:
    """Returns the experiment of runs that name none, creating it if necessary."""
    row = store.one("SELECT * FROM experiments WHERE name = ?", DEFAULT)
    text = "All runs created without specifying an experiment will be grouped here."
    return row or add_experiment(store, DEFAULT, text)


def add_experiment(store: Store, name: str, description: str) -> Row:
    """Adds an experiment and returns its row."""
    experiment_id = new_id()
    store.insert("experiments", id=experiment_id, name=name, description=description, created_at=now())
    return find(store, experiment_id)


def _set_storage(call: Call, state: str) -> dict[str, Any]:
    # Kubeflow does not report an experiment that does not exist.
    call.store.run("UPDATE experiments SET storage_state = ? WHERE id = ?", state, call.path["id"])
    return {}
