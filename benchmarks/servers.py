"""The measured servers: both implement Kubeflow's visualization protocol, and each has a tree of processes."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.cases import Case

_ANSWER_S: Final = 300
_START_S: Final = 120
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class ServerError(Exception):
    """A server did not start, or did not answer with a page; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One checked page.

    Attributes:
        seconds: from the first byte sent to the last one received.
        render_id: the portal's; "" for another server.
        phases_ms: as reported by the server (Server-Timing).
    """

    seconds: float
    page: str
    render_id: str
    phases_ms: dict[str, float]


@dataclass(slots=True, kw_only=True)
class Server:
    """One server.

    Attributes:
        pid: the root of its processes; None if unknown, and then its processor time is unknown too.
        is_other: whether to use the cases' other source and check.
    """

    name: str
    url: str
    pid: int | None
    is_other: bool = False

    def cpu_s(self) -> float | None:
        """Returns the processor time of its processes so far."""
        return None if self.pid is None else processes.cpu_s(self.pid)

    def is_alive(self) -> bool:
        """Whether its health check answers."""
        with contextlib.suppress(OSError, http.client.HTTPException), self.connect(5) as client:
            return client.get()
        return False

    @contextlib.contextmanager
    def connect(self, timeout_s: float = _ANSWER_S) -> Iterator[Client]:
        """Context manager: opens a connection for many requests."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            yield Client(self, connection)
        finally:
            connection.close()


class Client:
    """One client of a server, which sends one request after another."""

    def __init__(self, server: Server, connection: http.client.HTTPConnection) -> None:
        self._server = server
        self._connection = connection

    def get(self) -> bool:
        """Whether `GET /` answers 200."""
        self._connection.request("GET", "/")
        response = self._connection.getresponse()
        response.read()
        return response.status == 200

    def render(self, case: Case) -> Answer:
        """Returns the answer to a case. Its page is checked later, so that checking does not affect the measured time.

        Raises:
            ServerError: the status is not 200.
        """
        form = case.form(for_other=self._server.is_other)
        started = time.perf_counter()
        self._connection.request("POST", "/", form, _FORM)
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        text = body.decode("utf-8", "replace")
        if response.status != 200:
            raise ServerError(f"{self._server.name}: {case.name}: {response.status}: {text[:2000]}")
        return Answer(
            seconds=seconds,
            page=text,
            render_id=response.headers.get("X-Vizportal-Render", ""),
            phases_ms=_phases(response.headers.get("Server-Timing", "")),
        )

    def check(self, case: Case, answer: Answer) -> None:
        """Raises WrongPageError for a page that lacks the marks of its data."""
        case.check_page(answer.page, of_other=self._server.is_other)


def _phases(header: str) -> dict[str, float]:
    pairs = (part.strip().partition(";dur=") for part in header.split(",") if ";dur=" in part)
    return {name: float(value) for name, _, value in pairs}


@contextlib.contextmanager
def other_server(url: str, pid: int | None, command: str, log: Path) -> Iterator[Server]:
    """Context manager: starts the other server with `command` and stops it at the end, or uses a running one.

    Args:
        url: of the server.
        pid: of its process; None if unknown.
        command: a shell command, such as `sh -c "cd /srv/viz && exec python server.py"`; "" if it is running.
        log: receives its output.

    Raises:
        ServerError: it does not answer.
    """
    server = Server(name="other", url=url.rstrip("/"), pid=pid, is_other=True)
    if not command:
        if not server.is_alive():
            raise ServerError(f"Nothing answers GET {url}.")
        yield server
        return
    with log.open("wb") as output:
        process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    server.pid = process.pid
    try:
        deadline = time.monotonic() + _START_S
        while not server.is_alive():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"The other server did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield server
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # A kernel that is stuck outlives its server. The handles cannot come to refer to other processes.
    handles = []
    for pid in processes.tree(process.pid):
        with contextlib.suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for handle in handles:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
    process.wait()
