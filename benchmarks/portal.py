"""A portal of the benchmark's own: started on a free port and a directory of its own, stopped at the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_READY_S: Final = 300
_SAMPLES_S: Final = 180
_STOP_S: Final = 40
_OWN_SETTINGS: Final = ("VIZPORTAL_", "KFP_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")
# No proxy: the portal is on this machine.
_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PortalError(Exception):
    """The portal did not start, or refused a request; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal that answers at `url`."""

    url: str

    def fetch(self, path: str) -> str:
        """Returns the body of a GET.

        Raises:
            PortalError: refused.
        """
        return self._send(urllib.request.Request(self.url + path))

    def get(self, path: str) -> Any:
        """Returns the JSON that a GET answers."""
        return json.loads(self.fetch(path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Returns the JSON that a POST answers."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return json.loads(self._send(urllib.request.Request(self.url + path, data=data, headers=headers)))

    def _send(self, request: urllib.request.Request) -> str:
        try:
            with _opener.open(request, timeout=60) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            raise PortalError(f"{request.full_url}: {error.code} {error.read(500).decode(errors='replace')}") from error


@contextmanager
def running_portal(directory: Path, source_dir: Path) -> Iterator[Portal]:
    """Starts the portal on `directory` and lets renders read files below `source_dir`.

    Raises:
        PortalError: it did not get ready; the text holds what it printed.
    """
    port = _free_port()
    log = directory / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(_ROOT / "manage.py"), "up"],
            env=_environ(directory / "data", source_dir, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    portal = Portal(url=f"http://127.0.0.1:{port}")
    try:
        _await_ready(portal, process, log)
        yield portal
    finally:
        _stop(process)


def finished_step(portal: Portal) -> tuple[str, str]:
    """Waits for the sample runs to end, so that they do not disturb; returns a run and one of its steps."""
    deadline = time.monotonic() + _SAMPLES_S
    while True:
        runs = portal.get("/api/v1/runs")["items"]
        if len(runs) >= 2 and all(run["state"] not in {"pending", "running"} for run in runs):
            break
        if time.monotonic() > deadline:
            raise PortalError("The sample runs did not end in time.")
        time.sleep(0.5)
    steps = portal.get(f"/api/v1/runs/{runs[0]['id']}")["steps"]
    return runs[0]["id"], steps[0]["id"]


def _environ(data_dir: Path, source_dir: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_SETTINGS)}
    if "VIZPORTAL_ENVIRONMENTS_DIR" in os.environ:
        kept["VIZPORTAL_ENVIRONMENTS_DIR"] = os.environ["VIZPORTAL_ENVIRONMENTS_DIR"]
    return kept | {
        "VIZPORTAL_DATA_DIR": str(data_dir),
        "VIZPORTAL_BIND": f"127.0.0.1:{port}",
        "VIZPORTAL_SOURCE_ALLOW": f"{source_dir}/",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_ready(portal: Portal, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, PortalError):
            if portal.get("/readyz")["status"] == "ok":
                return
        time.sleep(0.2)
    raise PortalError(f"The portal did not get ready:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        # Its services end with it (PR_SET_PDEATHSIG).
        process.kill()
        process.wait()
