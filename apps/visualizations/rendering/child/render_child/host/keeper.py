"""The keeper of one environment's render host: starts it, starts it again, and ends what it leaves behind.

Run by the portal's own interpreter with the standard library alone. It owns the socket that workers connect to, so
that a host can follow another without a moment in which nobody listens. It ends when its host has been idle, or when
the host does not start.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from . import processes

# Where a command names the home that is made here.
_HOME_MARK: Final = "@home@"
_STARTS: Final = 3
_STABLE_S: Final = 30.0
_RESTART_PAUSE_S: Final = 0.2
_BACKLOG: Final = 128


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    lifeline: socket.socket
    started_at: float
    is_ready: bool = False
    is_told_to_stop: bool = False


class Keeper:
    """Keeps hosts on one socket.

    Args:
        options: what `rendering.host_spec` writes: socket, command, environ, host (its own options).
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._path = Path(options["socket"])
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._home = Path(tempfile.mkdtemp(prefix="vizportal-host-"))
        # Locked as long as this process lives, so that nobody takes its number for another's.
        self._mark = Path(options["pid"]).open("a", encoding="ascii")  # noqa: SIM115
        fcntl.flock(self._mark, fcntl.LOCK_EX)
        self._hosts: list[_Running] = []
        self._failures = 0

    def run(self) -> int:
        """Listens and keeps a host until it is idle; returns the exit code, 1 where none could be started."""
        processes.become_subreaper()
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._listen()
            self._start()
            # Whoever started this waits for the line: from here on a connection is kept until a host takes it.
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
        host = {**self._options["host"], "listener": self._listener.fileno(), "lifeline": theirs.fileno()}
        parent = os.getpid()
        process = subprocess.Popen(
            [*(str(self._home) if part == _HOME_MARK else part for part in self._options["command"]), json.dumps(host)],
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

    def _keep(self) -> int:
        while True:
            ready, _, _ = select.select([host.lifeline for host in self._hosts], [], [], 1.0)
            for host in list(self._hosts):
                if host.lifeline in ready and not self._hear(host):
                    code = self._ended(host)
                    if code is not None:
                        return code
            # A render that dies a moment after its host leaves what it started here, too late for `_ended`.
            self._end_strays()

    def _hear(self, host: _Running) -> bool:
        """Listens to a host; False where it has ended."""
        words = host.lifeline.recv(256)
        if b"ready" in words:
            host.is_ready = True
            for older in self._hosts:
                if older is not host:
                    older.is_told_to_stop = True
                    with contextlib.suppress(OSError):
                        older.lifeline.sendall(b"stop\n")
        if b"retire" in words and host is self._hosts[-1]:
            self._start()
        return bool(words)

    def _ended(self, host: _Running) -> int | None:
        """Clears up after a host; returns an exit code where the keeper has to end too."""
        code = host.process.wait()
        host.lifeline.close()
        self._hosts.remove(host)
        self._end_strays()
        if self._hosts:
            if host.is_ready and not host.is_told_to_stop:
                # The older one still finishes what it has, and takes nothing new.
                self._start()
            return None
        if code == 0 and host.is_ready:
            return 0
        print(f"render host ended with {code}", file=sys.stderr, flush=True)  # noqa: T201  (the host's log)
        self._failures = 0 if time.monotonic() - host.started_at > _STABLE_S else self._failures + 1
        if self._failures >= _STARTS:
            return 1
        if not host.is_ready:
            time.sleep(_RESTART_PAUSE_S)
        self._start()
        return None

    def _end_strays(self) -> None:
        hosts = {host.process.pid for host in self._hosts}
        for pid in processes.children(os.getpid()):
            if pid not in hosts:
                processes.kill_tree(pid)
        processes.reap()

    def _on_signal(self, *_: object) -> NoReturn:
        sys.exit(0)

    def _clean_up(self) -> None:
        processes.kill_descendants()
        for path in (self._path, self._options["host"]["status"], self._options["pid"]):
            Path(path).unlink(missing_ok=True)
        shutil.rmtree(self._home, ignore_errors=True)
