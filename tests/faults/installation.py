"""The installation for all faults: its processes by kind, its disks, and slow renders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.portals import Portal, running_portal
from tests.waiting import wait_until

PREDEFINED, CUSTOM = 5, 2
SECONDS = 4
TRIES = 4
TYPE = '''# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "slow"
# title = "Slow"
# description = "Takes a while."
# needs_source = false
# ///
"""Takes a while."""
import subprocess
import sys
import time
from pathlib import Path

Path("started").write_text("x")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "%s"], start_new_session=True)
time.sleep(%d)
Path("done").write_text("x" * 100_000)
print("done")
'''
SERVICES = {
    "web": "vizportal.asgi",
    "worker": "rqworker",
    "reconciler": "reconcile",
    "queue": "valkey.sock",
    "localkfp": "-m localkfp",
}
FINAL = {"succeeded", "failed", "lost", "timed_out", "cancelled"}


@dataclass(slots=True)
class Installation:
    """A portal with its data on separate small disks.

    Attributes:
        mark: an argument of every process that its renders start, to find them.
        postgres: the URL of its database; "" for SQLite.
    """

    portal: Portal
    step: tuple[str, str]
    work: Path
    results: Path
    mark: str
    postgres: str = ""

    @property
    def database(self) -> Path:
        return self.portal.data_dir / "db.sqlite3"

    def pids(self, kind: str) -> list[int]:
        """Returns the pids of a kind of process, without their children."""
        if kind == "supervisor":
            return [pid for pid, _, line in processes() if f" keep {self.portal.data_dir}/" in line]
        if kind == "host":
            # The parent may be the supervisor, bubblewrap, or a process that waits outside the namespace.
            files = (self.portal.data_dir / "run").rglob("*.status.json")
            return [int(json.loads(each.read_text())["pid"]) for each in files]
        mark = SERVICES[kind]
        return [pid for pid, up, line in processes() if up == self.portal.process.pid and mark in line]

    def kill(self, kinds: tuple[str, ...]) -> None:
        """Kills all processes of these kinds at once, so that none can react to the end of another."""
        pids = [pid for kind in kinds for pid in self.pids(kind)]
        assert pids, f"There is no process to kill: {kinds}"
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def left_running(self) -> list[str]:
        """Returns the command lines of live processes that renders started."""
        return [line for _, _, line in processes() if self.mark in line]

    def queue(self) -> Any:
        return redis.Redis(unix_socket_path=str(self.portal.data_dir / "valkey" / "valkey.sock"))

    def ask(self, kind: str, number: int) -> str:
        """Requests a render and returns its id."""
        body = {
            "run_id": self.step[0],
            "step_id": self.step[1],
            "type": kind,
            "force": True,
            "title": f"{kind} {number}",
        }
        if kind == "custom":
            body["code"] = TYPE.partition('"""\n')[2] % (self.mark, SECONDS)
        request = urllib.request.Request(
            f"{self.portal.url}/api/v1/visualizations",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return str(json.load(response)["render"]["id"])

    def rows(self, ids: list[str]) -> dict[str, tuple[str, str, str, int]]:
        """Returns state, reason, message and attempt by id, from the database."""
        query = "SELECT id, state, reason, message, attempt FROM visualizations_render WHERE id IN ("
        if self.postgres:
            with psycopg.connect(self.postgres, connect_timeout=5) as database:
                found = database.execute(f"{query}{','.join(['%s'] * len(ids))})", ids).fetchall()
        else:
            address = f"file:{self.database}?mode=ro"
            with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
                plain = [each.replace("-", "") for each in ids]
                found = database.execute(f"{query}{','.join('?' * len(ids))})", plain).fetchall()
        return {str(uuid.UUID(str(row[0]))): row[1:] for row in found}

    def start_renders(self) -> list[str]:
        """Requests five predefined and two custom renders, and waits until the code of all runs.

        Tries again if some ended before others began, as on a busy machine or while workers restart.
        """
        for _ in range(TRIES):
            ids = [self.ask("slow", number) for number in range(PREDEFINED)]
            ids += [self.ask("custom", number) for number in range(CUSTOM)]
            if wait_until(lambda ids=ids: self._begun(ids), 60, "seven renders") == "running":
                return ids
        raise AssertionError(f"Seven renders did not run at once in {TRIES} tries.")

    def _begun(self, ids: list[str]) -> str:
        # The row changes to "running" before the render begins in the host.
        if len(self.left_running()) == len(ids):
            return "running"
        return "over" if self._is_over(ids) else ""

    def settle(self, ids: list[str]) -> float:
        """Waits until all have ended and returns the seconds that it took."""
        began = time.monotonic()
        wait_until(lambda: self._is_over(ids), 90, f"the end of all renders: {self.rows(ids)}")
        return time.monotonic() - began

    def _is_over(self, ids: list[str]) -> bool:
        with contextlib.suppress(sqlite3.OperationalError, psycopg.OperationalError):
            return all(state in FINAL for state, *_ in self.rows(ids).values())
        return False

    def is_whole(self) -> bool:
        with contextlib.suppress(OSError, urllib.error.URLError):
            found = self.portal.get("/readyz")
            has_workers = len(self.pids("worker")) == PREDEFINED + CUSTOM
            return bool(found["status"] == "ok" and has_workers and self._has_host())
        return False

    def _has_host(self) -> bool:
        """Whether the hosts in the status files are alive, so that all renders can begin at once."""
        pids = self.pids("host")
        return bool(pids) and all(Path(f"/proc/{pid}").exists() for pid in pids)


def processes() -> Iterator[tuple[int, int, str]]:
    """Yields pid, parent's pid and command line of every live process."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            yield int(entry.name), int(parent), line


@contextlib.contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Path]:
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextlib.contextmanager
def installation(directory: Path, postgres: str = "") -> Iterator[Installation]:
    types, mark = directory / "types", f"started-by-a-render-{uuid.uuid4().hex}"
    types.mkdir()
    (types / "slow.py").write_text(TYPE % (mark, SECONDS))
    with contextlib.ExitStack() as opened:
        data = opened.enter_context(small_disk(directory / "data", 512))
        work, results = (opened.enter_context(small_disk(data / name, 128)) for name in ("work", "results"))
        portal = opened.enter_context(
            running_portal(
                data,
                ALLOW_CUSTOM_VISUALIZATIONS="true",
                VIZPORTAL_WORKERS=str(PREDEFINED + CUSTOM),
                VIZPORTAL_TYPES_DIRS=str(types),
                VIZPORTAL_MAX_QUEUED_PER_USER="100",
                **({"DATABASE_URL": postgres} if postgres else {}),
            )
        )
        found = Installation(portal, _step(portal), work, results, mark, postgres)
        # The first render starts the host.
        found.settle([found.ask("slow", 0)])
        yield found


def _step(portal: Portal) -> tuple[str, str]:
    def first() -> tuple[str, str] | None:
        with contextlib.suppress(urllib.error.HTTPError):
            for run in portal.get("/api/v1/runs")["items"]:
                for found in portal.get(f"/api/v1/runs/{run['id']}")["steps"]:
                    return run["id"], found["id"]
        return None

    return wait_until(first, 120, "a step of a sample run")
