"""The benchmark's own portal: started on a free port with its own directory, stopped at the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
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

from tests.servers import free_port

_ROOT: Final = Path(__file__).resolve().parents[1]
_READY_S: Final = 300
_STOP_S: Final = 40
_OWN_SETTINGS: Final = ("VIZPORTAL_", "DJANGO_", "KFP_", "KERNEL_TIMEOUT", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")
WORKERS: Final = 2
# No proxy, because the portal is on this machine.
_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PortalError(Exception):
    """The portal did not start, or refused a request; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal that answers at `url`, and Kubeflow's visualization protocol at `kfp_service_url`.

    Attributes:
        pid: of its `up`, the ancestor of all its processes.
        temporary_dir: for its processes' temporary files.
    """

    url: str
    kfp_service_url: str
    pid: int
    data_dir: Path
    temporary_dir: Path

    def get(self, path: str) -> Any:
        """Returns the JSON answer to a GET.

        Raises:
            PortalError: the request was refused.
        """
        try:
            with _opener.open(self.url + path, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise PortalError(f"{path}: {error.code} {error.read(500).decode(errors='replace')}") from error

    def temporary_entries(self) -> int:
        """Returns the number of files and directories that its renders left in the temporary places."""
        places = (self.temporary_dir, self.data_dir / "work")
        return sum(len(list(place.iterdir())) for place in places if place.is_dir())


@contextmanager
def running_portal(directory: Path, source_dir: Path) -> Iterator[Portal]:
    """Context manager: starts the portal on `directory` and lets renders read files below `source_dir`.

    Raises:
        PortalError: it did not become ready; the text contains its output.
    """
    port, kfp_service_port = free_port(), free_port()
    log = directory / "up.log"
    (directory / "tmp").mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(_ROOT / "manage.py"), "up"],
            env=_environ(directory, source_dir, port, kfp_service_port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    portal = Portal(
        url=f"http://127.0.0.1:{port}",
        kfp_service_url=f"http://127.0.0.1:{kfp_service_port}",
        pid=process.pid,
        data_dir=directory / "data",
        temporary_dir=directory / "tmp",
    )
    try:
        _await_ready(portal, process, log)
        yield portal
    finally:
        _stop(process)


def _environ(directory: Path, source_dir: Path, port: int, kfp_service_port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_SETTINGS)}
    if "VIZPORTAL_ENVIRONMENTS_DIR" in os.environ:
        kept["VIZPORTAL_ENVIRONMENTS_DIR"] = os.environ["VIZPORTAL_ENVIRONMENTS_DIR"]
    return kept | {
        "VIZPORTAL_DATA_DIR": str(directory / "data"),
        "VIZPORTAL_BIND": f"127.0.0.1:{port}",
        "VIZPORTAL_KFP_SERVICE_BIND": f"127.0.0.1:{kfp_service_port}",
        "VIZPORTAL_WORKERS": str(WORKERS),
        "ALLOW_CUSTOM_VISUALIZATIONS": "true",
        # No file below `sources` is Kubeflow's, so none is queried, and none runs next to the measured processes.
        "KFP_HOST": "http://127.0.0.1:9",
        "TMPDIR": str(directory / "tmp"),
        "VIZPORTAL_SOURCE_ALLOW": f"{source_dir}/",
    }


def _await_ready(portal: Portal, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, PortalError):
            if portal.get("/readyz")["workers"]["count"] == WORKERS:
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
