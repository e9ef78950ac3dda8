"""One installation for all faults: its processes by kind, its disks, and renders that take a while."""

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.e2e.conftest import Portal, running_portal
from tests.waiting import wait_until

PREDEFINED, CUSTOM = 5, 2
SECONDS = 4
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
import time
from pathlib import Path

Path("started").write_text("x")
time.sleep(%d)
Path("done").write_text("x" * 100_000)
print("done")
'''
SERVICES = {
    "web": "vizportal.asgi",
    "worker": "rqworker",
    "reconciler": "reconcile",
    "queue": "valkey.sock",
    "localkfp": "apps.localkfp",
}
FINAL = {"succeeded", "failed", "lost", "timed_out", "cancelled"}


@dataclass(slots=True)
class Installation:
    """A portal with its data on small disks of its own."""

    portal: Portal
    step: tuple[str, str]
    work: Path
    results: Path

    @property
    def database(self) -> Path:
        return self.portal.data_dir / "db.sqlite3"

    def pids(self, kind: str) -> list[int]:
        """Returns the processes of a kind, without what they started."""
        if kind in {"host", "supervisor"}:
            keepers = [pid for pid, _, line in processes() if f" keep {self.portal.data_dir}" in line]
            return keepers if kind == "supervisor" else [pid for pid, up, _ in processes() if up in keepers]
        mark = SERVICES[kind]
        return [pid for pid, up, line in processes() if up == self.portal.process.pid and mark in line]

    def kill(self, kind: str) -> None:
        for pid in self.pids(kind):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def queue(self) -> Any:
        return redis.Redis(unix_socket_path=str(self.portal.data_dir / "valkey" / "valkey.sock"))

    def ask(self, kind: str, number: int) -> str:
        """Asks for a render; returns its id."""
        body = {
            "run_id": self.step[0],
            "step_id": self.step[1],
            "type": kind,
            "force": True,
            "title": f"{kind} {number}",
        }
        if kind == "custom":
            body["code"] = TYPE.partition('"""\n')[2] % SECONDS
        request = urllib.request.Request(
            f"{self.portal.url}/api/v1/visualizations",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return str(json.load(response)["render"]["id"])

    def rows(self, ids: list[str]) -> dict[str, tuple[str, str, str, int]]:
        """Returns state, reason, message and attempt by id, as the database has them."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT id, state, reason, message, attempt FROM visualizations_render WHERE id IN ({marks})"
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as database:
            found = database.execute(query, [each.replace("-", "") for each in ids]).fetchall()
        return {row[0]: row[1:] for row in found}

    def start_renders(self) -> list[str]:
        """Asks for five predefined and two custom renders and waits until all run."""
        ids = [self.ask("slow", number) for number in range(PREDEFINED)]
        ids += [self.ask("custom", number) for number in range(CUSTOM)]
        wait_until(lambda: all(state == "running" for state, *_ in self.rows(ids).values()), 60, "seven renders")
        return ids

    def settle(self, ids: list[str]) -> float:
        """Waits until all have ended; returns the seconds."""
        began = time.monotonic()

        def is_over() -> bool:
            with contextlib.suppress(sqlite3.OperationalError):
                return all(state in FINAL for state, *_ in self.rows(ids).values())
            return False

        wait_until(is_over, 90, f"the end of all renders: {self.rows(ids)}")
        return time.monotonic() - began

    def is_whole(self) -> bool:
        with contextlib.suppress(OSError, urllib.error.URLError):
            found = self.portal.get("/readyz")
            return bool(found["status"] == "ok" and len(self.pids("worker")) == PREDEFINED + CUSTOM)
        return False


def processes() -> Iterator[tuple[int, int, str]]:
    """Yields pid, parent's pid and command line of every living process."""
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
def installation(directory: Path) -> Iterator[Installation]:
    types = directory / "types"
    types.mkdir()
    (types / "slow.py").write_text(TYPE % SECONDS)
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
            )
        )
        yield Installation(portal, _step(portal), work, results)


def _step(portal: Portal) -> tuple[str, str]:
    def first() -> tuple[str, str] | None:
        with contextlib.suppress(urllib.error.HTTPError):
            for run in portal.get("/api/v1/runs")["items"]:
                for found in portal.get(f"/api/v1/runs/{run['id']}")["steps"]:
                    return run["id"], found["id"]
        return None

    return wait_until(first, 120, "a step of a sample run")
