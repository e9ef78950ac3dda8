"""Starts processes in order, restarts those that end, and stops all in reverse order.

None of the libraries tried restarts single processes, stops them in order, and leaves none behind when it is killed
itself (docs/decisions/0003-process-supervisor.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final

_PR_SET_PDEATHSIG: Final = 1
_TICK_S: Final = 0.05
_READY_TIMEOUT_S: Final = 60.0
_MAX_BACKOFF_S: Final = 30.0
_URGENT_S: Final = 2.0
# A process that ran at least this long before it ended is restarted at once.
_STABLE_S: Final = 30.0
_MAX_LOG_BYTES: Final = 5 * 1024**2


class StartError(Exception):
    """A process did not start; the text contains the last lines that it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process to keep alive.

    Attributes:
        is_ready: called until it returns true; None if starting it is enough.
        nice: above 0, it yields to the other processes.
        is_once: it does one thing and ends; it is not restarted.
        group: consecutively started services of one group are stopped together.
        stop_timeout_s: how long it may take to end after SIGTERM. Then it gets a second SIGTERM, at which workers
            abandon their render, and two seconds later it is killed.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    is_ready: Callable[[], bool] | None = None
    group: str = ""
    stop_timeout_s: float = 5.0
    nice: int = 0
    is_once: bool = False


@dataclass(slots=True)
class _Child:
    service: Service
    process: subprocess.Popen[bytes]
    started_at: float
    failures: int = 0
    restart_at: float | None = None


@dataclass(slots=True)
class Supervisor:
    """Keeps services alive until SIGINT, SIGTERM or SIGHUP; a second signal kills what is left.

    Attributes:
        log_dir: each service's output goes to `<log_dir>/<name>.log`, the previous start's to `.log.1`.
        say: called with lines for the terminal.
    """

    log_dir: Path
    say: Callable[[str], None]
    _children: list[_Child] = field(default_factory=list)
    _signals: list[int] = field(default_factory=list)

    def catch_signals(self) -> None:
        """Installs signal handlers: from now on a signal only requests the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _frame: self._signals.append(received))

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether a signal was received."""
        return bool(self._signals)

    def start(self, service: Service) -> None:
        """Starts a service without waiting until it is ready."""
        self._children.append(_Child(service, self._spawn(service), time.monotonic()))

    def await_ready(self, name: str) -> None:
        """Waits until a started service is ready, or a signal is received.

        Raises:
            StartError: it ended, or was not ready within 60 s.
        """
        child = next(child for child in self._children if child.service.name == name)
        is_ready = child.service.is_ready
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while is_ready is not None and not self.is_asked_to_stop and not is_ready():
            if child.process.poll() is not None:
                raise StartError(f"{name} ended at once.\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise StartError(f"{name} was not ready in time.\n{self.tail(name)}")
            time.sleep(_TICK_S)

    def watch(self) -> None:
        """Restarts services that end, after a growing pause, until a signal is received."""
        while not self.is_asked_to_stop:
            for child in self._children:
                self._revive(child)
            time.sleep(_TICK_S)

    def stop(self) -> None:
        """Stops all services, the last started first; kills those that do not end in time."""
        for _, members in groupby(reversed(self._children), lambda child: child.service.group or child.service.name):
            self._stop_together(list(members))
        self._children.clear()

    def tail(self, name: str, lines: int = 15) -> str:
        """Returns the last lines that a service printed."""
        with contextlib.suppress(OSError):
            text = (self.log_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        with _open_log(self.log_dir / f"{service.name}.log") as log:
            # A session of its own: Ctrl-C reaches only the supervisor, which stops the services in order.
            process = subprocess.Popen(
                service.command,
                env=dict(service.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (one thread only)
            )
        if service.nice:
            _lower_priority(process.pid, service.nice)
        return process

    def _revive(self, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                child.process, child.started_at, child.restart_at = self._spawn(child.service), now, None
            return
        code = child.process.poll()
        if code is None or child.service.is_once:
            return
        child.failures = 0 if now - child.started_at > _STABLE_S else child.failures + 1
        pause = min(_MAX_BACKOFF_S, 0.2 * 2**child.failures)
        child.restart_at = now + pause
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.say(
            f"{child.service.name} ended ({cause}); starting it again. Log: {self.log_dir / child.service.name}.log"
        )

    def _stop_together(self, children: Sequence[_Child]) -> None:
        timeout_s = max(child.service.stop_timeout_s for child in children)
        for pause_s in (timeout_s, _URGENT_S):
            for child in children:
                if child.process.poll() is None:
                    child.process.terminate()
            if self._ended(children, pause_s):
                return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()

    def _ended(self, children: Sequence[_Child], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while any(child.process.poll() is None for child in children):
            # A second signal from the terminal ends the wait.
            if time.monotonic() > deadline or len(self._signals) > 1:
                return False
            time.sleep(_TICK_S)
        return True


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _lower_priority(leader: int, nice: int) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, leader, nice)
    # If the kernel groups processes by session (sched(7), autogroup), the session has a nice value of its own.
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(nice), encoding="ascii")


def _die_with_parent() -> None:
    # If the supervisor is killed, the kernel signals its children.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
