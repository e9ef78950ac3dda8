"""The supervisor of one environment's render host: starts and restarts it, and ends the renders of one that was killed.

The portal's own interpreter runs it, with the standard library alone. It owns the socket that workers connect to, so a
new host can replace another without a moment in which nothing listens. It ends when its host has been idle, or when the
host does not start.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from . import cgroups, processes
from .log import log

# Placeholders in a command: the home that is created here, and where to bind the folders of control groups.
_HOME_MARK: Final = "@home@"
_CGROUPS_MARK: Final = "@cgroups@"
_CGROUPS_PREFIX: Final = "vizportal-"
_GONE_S: Final = 5.0
_GROUP: Final = re.compile(rb"([+-])(\d+)")
_STARTS: Final = 3
_STABLE_S: Final = 30.0
_RESTART_PAUSE_S: Final = 0.2
_BACKLOG: Final = 128


@dataclass(slots=True)
class _Running:
    """A running host.

    Attributes:
        groups: the process groups of its renders; empty if it is in a PID namespace, since they end with that.
    """

    process: subprocess.Popen[bytes]
    lifeline: socket.socket
    started_at: float
    is_ready: bool = False
    is_told_to_stop: bool = False
    groups: set[int] = field(default_factory=set)
    buffer: bytes = b""


class Supervisor:
    """Keeps a host running behind one socket.

    Args:
        options: as `renderer.host_spec.supervisor_options` returns them: socket, command, environ, host (the host's own
            options).
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._path = Path(options["socket"])
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._home = Path(tempfile.mkdtemp(prefix="vizportal-host-"))
        # Locked as long as this process runs, so that nobody mistakes a reused process id for it.
        self._mark = Path(options["pid"]).open("a", encoding="ascii")  # noqa: SIM115
        fcntl.flock(self._mark, fcntl.LOCK_EX)
        self._hosts: list[_Running] = []
        self._failures = 0
        self._hierarchy = _own_hierarchy()

    def run(self) -> int:
        """Listens and keeps a host running until it is idle; returns the exit code, 1 if no host could be started."""
        processes.become_subreaper()
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._listen()
            self._start()
            # The process that started this one waits for the line: from now on connections are queued until a host
            # accepts them.
            sys.stdout.write("listening\n")
            sys.stdout.flush()
            return self._keep()
        finally:
            self._clean_up()

    def _listen(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._mark.truncate(0)
        self._mark.write(str(os.getpid()))
        self._mark.flush()
        self._listener.listen(_BACKLOG)
        self._listener.settimeout(0)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        host = {
            **self._options["host"],
            "listener": self._listener.fileno(),
            "lifeline": theirs.fileno(),
            "cgroups": self._hierarchy.written() if self._hierarchy is not None else {},
        }
        parent = os.getpid()
        process = subprocess.Popen(
            [*self._command(), json.dumps(host)],
            cwd=self._home,
            env={**self._options["environ"], "HOME": str(self._home), "MPLCONFIGDIR": str(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            stderr=sys.stderr.fileno(),
            pass_fds=(self._listener.fileno(), theirs.fileno()),
            start_new_session=True,
            preexec_fn=lambda: processes.die_with_parent(signal.SIGTERM, parent),  # noqa: PLW1509  (one thread only)
        )
        theirs.close()
        self._hosts.append(_Running(process, ours, time.monotonic()))

    def _command(self) -> list[str]:
        folders = self._hierarchy.folders.values() if self._hierarchy is not None else ()
        binds = [part for folder in dict.fromkeys(map(str, folders)) for part in ("--bind", folder, folder)]
        command: list[str] = []
        for part in self._options["command"]:
            command += binds if part == _CGROUPS_MARK else [str(self._home) if part == _HOME_MARK else part]
        return command

    def _keep(self) -> int:
        while True:
            ready, _, _ = select.select([host.lifeline for host in self._hosts], [], [], 1.0)
            for host in list(self._hosts):
                if host.lifeline in ready and not self._hear(host):
                    code = self._ended(host)
                    if code is not None:
                        return code
            if self._is_too_slow():
                return 1
            processes.reap_orphans({host.process.pid for host in self._hosts})

    def _hear(self, host: _Running) -> bool:
        """Processes a host's messages; returns False if the host has ended."""
        received = host.lifeline.recv(4096)
        *lines, host.buffer = (host.buffer + received).split(b"\n")
        for line in lines:
            self._note(host, line)
        return bool(received)

    def _note(self, host: _Running, line: bytes) -> None:
        if found := _GROUP.fullmatch(line):
            change = host.groups.add if found[1] == b"+" else host.groups.discard
            change(int(found[2]))
        elif line == b"ready":
            host.is_ready = True
            self._failure_path.unlink(missing_ok=True)
            for older in self._hosts:
                if older is not host:
                    older.is_told_to_stop = True
                    with contextlib.suppress(OSError):
                        older.lifeline.sendall(b"stop\n")
        elif line == b"retire" and host is self._hosts[-1]:
            self._start()

    def _is_too_slow(self) -> bool:
        """Whether the newest host failed to become ready in time; then it is ended and nobody waits any longer."""
        host = self._hosts[-1]
        limit_s = self._options["start_timeout_s"]
        if host.is_ready or time.monotonic() - host.started_at < limit_s:
            return False
        self._fail(f"It did not become ready within {limit_s:g} s.")
        return True

    def _fail(self, why: str) -> None:
        """Writes the reason why no host could be started to where workers look for it."""
        log(f"render host: {why}")
        with contextlib.suppress(OSError):
            self._failure_path.write_text(why, encoding="utf-8")

    @property
    def _failure_path(self) -> Path:
        return Path(self._options["failure"])

    def _ended(self, host: _Running) -> int | None:
        """Cleans up after a host; returns an exit code if the supervisor has to end too."""
        code = host.process.wait()
        host.lifeline.close()
        self._hosts.remove(host)
        if not any(other.is_ready for other in self._hosts):
            Path(self._options["host"]["status"]).unlink(missing_ok=True)
        self._end_groups(host)
        if self._hosts:
            if host.is_ready and not host.is_told_to_stop:
                # The older host finishes its renders and accepts no new ones.
                self._start()
            return None
        if code == 0 and host.is_ready:
            return 0
        log(f"render host ended with {code}")
        self._failures = 0 if time.monotonic() - host.started_at > _STABLE_S else self._failures + 1
        if self._failures >= _STARTS:
            self._fail(f"It ended {_STARTS} times while it started, at last with the exit code {code}.")
            return 1
        if not host.is_ready:
            time.sleep(_RESTART_PAUSE_S)
        self._start()
        return None

    def _end_groups(self, host: _Running) -> None:
        """Ends the processes that a killed host left running."""
        for group in host.groups:
            if not processes.wait_for_group(group, _GONE_S):
                log(f"render {group} is still ending")

    def _on_signal(self, *_: object) -> NoReturn:
        sys.exit(0)

    def _clean_up(self) -> None:
        for host in self._hosts:
            processes.send_signal(host.process.pid, signal.SIGTERM)
        for host in self._hosts:
            self._wait_for(host)
            self._end_groups(host)
        if self._hierarchy is not None:
            self._hierarchy.remove()
        for path in (self._path, self._options["host"]["status"], self._options["pid"]):
            Path(path).unlink(missing_ok=True)
        shutil.rmtree(self._home, ignore_errors=True)

    def _wait_for(self, host: _Running) -> None:
        """Waits until a host has ended its renders and itself; kills one that does not respond."""
        try:
            host.process.wait(_GONE_S if host.is_ready else 0)
        except subprocess.TimeoutExpired:
            # The host leads a session that contains only itself, or the wrapper around it.
            processes.wait_for_group(host.process.pid, _GONE_S)
            host.process.wait()


def _own_hierarchy() -> cgroups.Hierarchy | None:
    """Returns a control group for the renders of this supervisor's hosts; None if none can be created."""
    found = cgroups.find()
    if found is None:
        return None
    for stale in found.stale(_CGROUPS_PREFIX):
        stale.remove()
    try:
        return found.below(f"{_CGROUPS_PREFIX}{os.getpid()}")
    except OSError as error:
        log(f"control groups: {error}")
        return None
