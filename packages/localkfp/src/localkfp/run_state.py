"""The states of a run, and the only statements that change them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final

from localkfp import recorder
from localkfp.shapes import history_entry
from localkfp.store import Row, Store, now

PENDING: Final = "PENDING"
RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
CANCELING: Final = "CANCELING"
CANCELED: Final = "CANCELED"
ENDED: Final = frozenset({SUCCEEDED, FAILED, CANCELED})
INTERRUPTED: Final = "the server was interrupted"


def claim_next(store: Store, busy: Collection[str]) -> Row | None:
    """Marks the oldest pending run as running and returns it; None if none is pending.

    Args:
        store: where the runs are.
        busy: runs to skip: a retried run may be pending while the process of its last attempt is still ending.
    """
    with store.open() as db:
        db.execute("BEGIN IMMEDIATE")
        rows = db.execute("SELECT * FROM runs WHERE state = ? ORDER BY number", (PENDING,))
        row = next((row for row in rows if row["id"] not in busy), None)
        if row is None:
            return None
        _change(db, row["id"], RUNNING, from_states=(PENDING,))
        return dict(row)


def change(store: Store, run_id: str, state: str, *, from_states: tuple[str, ...], error: str = "") -> bool:
    """Changes a run's state; returns False if its state was none of `from_states`.

    A run that ends also ends its running steps.
    """
    with store.open() as db:
        db.execute("BEGIN IMMEDIATE")
        return _change(db, run_id, state, from_states=from_states, error=error)


def end_interrupted(store: Store) -> int:
    """Ends the runs that an earlier server left running; returns how many."""
    rows = store.all("SELECT id, state FROM runs WHERE state IN (?, ?)", RUNNING, CANCELING)
    for row in rows:
        end = (CANCELED, "") if row["state"] == CANCELING else (FAILED, INTERRUPTED)
        change(store, row["id"], end[0], from_states=(row["state"],), error=end[1])
    return len(rows)


def _change(db: sqlite3.Connection, run_id: str, state: str, *, from_states: tuple[str, ...], error: str = "") -> bool:
    row = db.execute("SELECT state, history FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None or row["state"] not in from_states:
        return False
    at = now()
    history = [*json.loads(row["history"]), history_entry(state, at, error)]
    db.execute(
        "UPDATE runs SET state = ?, error = ?, history = ?, finished_at = ? WHERE id = ?",
        (state, error, json.dumps(history), at if state in ENDED else None, run_id),
    )
    if state == RUNNING:
        db.execute("UPDATE runs SET started_at = ? WHERE id = ?", (at, run_id))
    if state in ENDED:
        recorder.end_open_executions(db, run_id)
    return True
