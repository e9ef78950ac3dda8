"""Runs the complete portal as users start it, with its own data directory."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR


@dataclass(slots=True)
class Portal:
    """A running `manage.py up`."""

    url: str
    data_dir: Path
    process: subprocess.Popen
    output: Path

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as response:
            return json.load(response)

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(40)


def is_ready(portal):
    assert portal.process.poll() is None, portal.output.read_text()
    with contextlib.suppress(OSError, urllib.error.URLError):
        return portal.get("/readyz")["status"] == "ok" and "is ready" in portal.output.read_text()
    return False


@contextlib.contextmanager
def running_portal(data_dir: Path, *, port: int | None = None, **environ: str) -> Iterator[Portal]:
    port = port or free_port()
    output = data_dir.parent / f"{data_dir.name}.up.log"
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIZPORTAL_", "DJANGO_", "KFP_"))
    }
    clean.pop("SECRET_KEY", None)
    with output.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "up"],
            env={**clean, "VIZPORTAL_DATA_DIR": str(data_dir), "VIZPORTAL_BIND": f"127.0.0.1:{port}", **environ},
            cwd=data_dir.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    portal = Portal(f"http://127.0.0.1:{port}", data_dir, process, output)
    try:
        wait_until(lambda: is_ready(portal), 120, "the portal")
        yield portal
    finally:
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                portal.stop()
        if process.poll() is None:
            process.kill()
            process.wait()


def samples_done(portal):
    runs = portal.get("/api/v1/runs")["items"]
    return len(runs) >= 2 and all(run["state"] not in {"pending", "running"} for run in runs) and runs


def sampled_data(tmp_path_factory, name: str) -> Path:
    """Returns a new data directory of a portal whose sample pipelines have run.

    They run once for all processes of a test run, since each takes longer than most tests that use it.
    """
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sampled"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            data_dir = made.with_suffix(".new") / "data"
            data_dir.parent.mkdir()
            with running_portal(data_dir) as portal:
                wait_until(lambda: samples_done(portal), 180, "the sample runs")
            data_dir.parent.rename(made)
    return shutil.copytree(made / "data", tmp_path_factory.mktemp(name) / "data", symlinks=True)
