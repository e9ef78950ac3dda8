"""Executes pending runs, oldest first, a few at a time, each in its own process group."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localkfp import run_state
from localkfp.places import Places
from localkfp.run_state import CANCELED, CANCELING, FAILED, INTERRUPTED, PENDING, RUNNING
from localkfp.store import Row, Store

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 2
_RUN_NICE: Final = 5
TOKEN_VARIABLE: Final = "VIZPORTAL_LOCALKFP_TOKEN"  # noqa: S105 - a name, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    run_id: str
    process: subprocess.Popen[bytes]


class Scheduler:
    """Starts and ends runs.

    Each of its threads takes a run, starts its process and waits for it. The threads live as long as the server,
    because the kernel ends a run's process when the thread that started it ends (see `step_launcher.die_with`).
    """

    def __init__(self, store: Store, places: Places, steps_python: Path) -> None:
        self._store = store
        self._places = places
        self._steps_python = steps_python
        self._changed = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._is_stopping = False
        self._threads = [threading.Thread(target=self._work, name=f"runs-{n}") for n in range(_AT_ONCE)]

    def start(self) -> None:
        """Ends the runs that an earlier server left running, and starts the threads."""
        run_state.end_interrupted(self._store)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Notifies the threads that a run was added."""
        with self._changed:
            self._changed.notify()

    def terminate(self, run_id: str) -> bool:
        """Ends a pending or running run; returns False if it has already ended."""
        if run_state.change(self._store, run_id, CANCELED, from_states=(PENDING,)):
            return True
        if not run_state.change(self._store, run_id, CANCELING, from_states=(RUNNING,)):
            return False
        with self._changed:
            job = self._jobs.get(run_id)
            if job is not None:
                _kill_group(job.process.pid)
        return True

    def stop(self) -> None:
        """Ends the running runs, marks them as failed, and waits for the threads."""
        with self._changed:
            self._is_stopping = True
            for job in self._jobs.values():
                run_state.change(self._store, job.run_id, FAILED, from_states=(RUNNING,), error=INTERRUPTED)
                _kill_group(job.process.pid)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (row := self._next()) is not None:
            try:
                self._execute(row["id"])
            except Exception:  # noqa: BLE001 - the edge of a run; it is logged
                _log.exception("Run %s could not be run", row["id"])
                error = "the server could not start the run: its log says why"
                run_state.change(self._store, row["id"], FAILED, from_states=(RUNNING,), error=error)

    def _next(self) -> Row | None:
        with self._changed:
            while not self._is_stopping:
                row = run_state.claim_next(self._store, self._jobs)
                if row is not None:
                    return row
                self._changed.wait()
        return None

    def _execute(self, run_id: str) -> None:
        process = self._launch(run_id)
        if process is None:
            return
        # Without reaping it, so that its process id and group id cannot be reused yet.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(process.pid)
        with self._changed:
            error = f"the run's process ended unexpectedly (exit code {process.wait()})"
            # Before anybody can claim the run again, because these changes must not affect its next attempt.
            run_state.change(self._store, run_id, CANCELED, from_states=(CANCELING,))
            run_state.change(self._store, run_id, FAILED, from_states=(RUNNING,), error=error)
            del self._jobs[run_id]
            self._changed.notify()

    def _launch(self, run_id: str) -> subprocess.Popen[bytes] | None:
        """Starts a run's process; None if the server is stopping or the run has been terminated."""
        folder = self._places.run(run_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        env = {name: value for name, value in os.environ.items() if not name.startswith(TOKEN_VARIABLE)}
        call = [sys.executable, "-m", "localkfp.runner", str(self._places.root), run_id]
        with self._changed, (folder / "runner.log").open("ab") as log:
            if self._is_stopping:
                run_state.change(self._store, run_id, FAILED, from_states=(RUNNING,), error=INTERRUPTED)
                return None
            process = subprocess.Popen(
                [*call, str(self._steps_python), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=env,
                start_new_session=True,
            )
            _lower_priority(process.pid)
            self._jobs[run_id] = _Job(run_id=run_id, process=process)
        row = self._store.one("SELECT state FROM runs WHERE id = ?", run_id)
        if row is None or row["state"] != RUNNING:
            _kill_group(process.pid)
        return process


def _lower_priority(leader: int) -> None:
    """Lowers the priority of a run and its steps below that of web requests; on an idle machine it runs as fast."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, leader, _RUN_NICE)
    # If the kernel groups processes by session (sched(7), autogroup), the session has a nice value of its own.
    with suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(_RUN_NICE), encoding="ascii")


def _kill_group(group: int) -> None:
    """Kills a run's process and those of its steps."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # No process is left (macOS raises PermissionError if only a zombie is).
        return
