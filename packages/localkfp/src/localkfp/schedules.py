"""Recurring runs: when the next run of each is due, and the thread that starts it.

The rules are those of Kubeflow's controller (backend/src/crd/controller/scheduledworkflow): a cron expression has six
fields starting with seconds, or omits the seconds; missed runs are made up for unless `no_catchup`; and at most
`max_concurrency` runs of one recurring run are active.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from croniter import croniter

from localkfp.errors import ApiError
from localkfp.run_state import ENDED
from localkfp.store import Row, Store, now

_log = logging.getLogger(__name__)
# The thread's longest wait: a run that ended may have made room for the next one of its recurring run.
_LOOK_EVERY_S: Final = 5.0
_SHORTHANDS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
Start = Callable[[Row, float], Row]


def cron_fields(expression: str) -> str:
    """Returns a cron expression with six fields, seconds first; "" for invalid text."""
    text = _SHORTHANDS.get(expression.strip(), expression.strip().replace("?", "*"))
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    text = " ".join(fields)
    is_valid = len(fields) == 6 and croniter.is_valid(text, second_at_beginning=True)
    return text if is_valid else ""


def next_time(row: Row, after: float) -> float | None:
    """Returns when a recurring run is due next, in seconds since 1970; None if it has ended.

    Args:
        row: of the table `recurring_runs`.
        after: when it was last due, or when it was created.
    """
    if not row["cron"] and not row["interval_s"]:
        return None
    begin = row["starts_at"] or 0.0
    if row["cron"]:
        moment = datetime.fromtimestamp(max(after, begin - 1), UTC)
        found = croniter(cron_fields(row["cron"]), moment, second_at_beginning=True).get_next(float)
    else:
        found = max(after + row["interval_s"], begin)
    return None if row["ends_at"] and found > row["ends_at"] else float(found)


def due_time(row: Row, at: float) -> float | None:
    """Returns the due time for which a run must be started; None if none is due at `at`."""
    due = next_time(row, row["last_at"] or row["created_at"])
    if due is None or due > at:
        return None
    while row["no_catchup"] and (following := next_time(row, due)) is not None and following <= at:
        due = following
    return due


class Schedules:
    """Starts the runs of recurring runs that are due."""

    def __init__(self, store: Store, start: Start) -> None:
        self._store = store
        self._start = start
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="schedules")

    def start(self) -> None:
        """Starts the thread, which makes up for runs missed while the server was down, unless `no_catchup`."""
        self._thread.start()

    def wake(self) -> None:
        """Notifies the thread that a recurring run was added or changed."""
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        with self._changed:
            while not self._is_stopping:
                self._changed.wait(self.run_due(now()))

    def run_due(self, at: float) -> float:
        """Starts the runs due at a time; returns the seconds until the next check."""
        rows = self._store.all("SELECT * FROM recurring_runs WHERE is_enabled = 1 ORDER BY number")
        waits = [_LOOK_EVERY_S]
        for row in rows:
            try:
                waits.append(self._run_one(row, at))
            except ApiError as error:
                self._note(row, at, str(error))
            except Exception:  # noqa: BLE001 - one schedule must not stop the others; it is logged
                _log.exception("The schedule %s could not start its run", row["id"])
                self._note(row, at, "the server could not start the run: its log says why")
        return max(0.0, min(waits))

    def _run_one(self, row: Row, at: float) -> float:
        due = due_time(row, at)
        if due is None:
            following = next_time(row, row["last_at"] or row["created_at"])
            return _LOOK_EVERY_S if following is None else following - at
        if self._active(row) >= row["max_concurrency"]:
            return _LOOK_EVERY_S
        self._start(row, due)
        self._store.run("UPDATE recurring_runs SET last_at = ?, error = '' WHERE id = ?", due, row["id"])
        return 0.0

    def _note(self, row: Row, at: float, text: str) -> None:
        """Records why a run could not be started; the next one is tried when it is due."""
        due = due_time(row, at) or at
        self._store.run("UPDATE recurring_runs SET last_at = ?, error = ? WHERE id = ?", due, text, row["id"])

    def _active(self, row: Row) -> int:
        states = self._store.all("SELECT state FROM runs WHERE recurring_run_id = ?", row["id"])
        return sum(each["state"] not in ENDED for each in states)
