"""Render hosts as a worker sees them: finds them by their socket, starts missing ones, and asks for their status.

A host belongs to one environment, one work folder and one sandbox mode. The workers of a machine share it.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from renderer.child.render_child.host import processes
from renderer.host_spec import CHILD, HostLostError, HostSpec, HostStartError, supervisor_options

_READY_S: Final = 90.0
_END_S: Final = 5.0


@dataclass(slots=True)
class RenderHost:
    """One host, as its clients see it. Several processes may use it at once; each of them runs one render at a time."""

    spec: HostSpec
    _presence: socket.socket | None = field(default=None, repr=False)
    _supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    def connect(self) -> socket.socket:
        """Returns a connection to the host, starting it if nothing listens. It may still be importing its libraries.

        Raises:
            HostLostError: no host can be started.
        """
        connected = self._try_connect()
        if connected is None:
            with self._lock():
                connected = self._try_connect() or self._start()
        try:
            key = json.loads(self.spec.options_path.read_text(encoding="utf-8"))["key"]
            connected.sendall(json.dumps({"key": key}).encode() + b"\n")
        except (OSError, ValueError, KeyError) as error:
            connected.close()
            raise HostLostError("The render host has just ended.") from error
        return connected

    def status(self) -> dict[str, Any]:
        """Returns the host's status once it is ready: mode, abi, gaps, pid, renders, start_s, missing.

        Keeps the connection open, so that the host stays warm for the next render.

        Raises:
            HostLostError: the host does not start.
        """
        for is_last in (False, False, True):
            self.stay()
            try:
                return ask(self._presence, {"status": True})
            except HostLostError:
                # It may have ended between connecting and asking. The next attempt starts a new one.
                self.leave()
                if is_last:
                    raise
        raise AssertionError("unreachable")

    def stay(self) -> None:
        """Opens a connection and keeps it open, which keeps the host running.

        Raises:
            HostLostError: the host does not start.
        """
        if self._presence is not None and _has_ended(self._presence):
            self.leave()
        if self._presence is None:
            self._presence = self.connect()

    def read_status(self) -> dict[str, Any] | None:
        """Returns the last status that the host wrote, without waiting; None if there is no host or no status yet."""
        try:
            found: dict[str, Any] = json.loads(self.spec.status_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def supervisor_pid(self) -> int | None:
        """Returns the id of the supervisor, the ancestor of all the host's processes; None if none runs."""
        return _supervisor_of(self.spec.pid_path)

    def leave(self) -> None:
        """Closes the connection that `stay` opened, so that the host may end."""
        if self._presence is not None:
            self._presence.close()
            self._presence = None

    def end(self) -> None:
        """Ends a stuck host with all its renders, including those of other workers."""
        pid = self.supervisor_pid()
        if pid:
            processes.send_signal(pid, signal.SIGTERM)

    def _try_connect(self) -> socket.socket | None:
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.connect(str(self.spec.socket_path))
        except OSError:
            connecting.close()
            return None
        return connecting

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.spec.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.spec.run_dir / f"{self.spec.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _start(self) -> socket.socket:
        self._supervisors = [supervisor for supervisor in self._supervisors if supervisor.poll() is None]
        options = self.spec.options_path
        _link_toolkits(self.spec)
        _write_private(options, json.dumps(supervisor_options(self.spec)))
        self.spec.failure_path.unlink(missing_ok=True)
        with self.spec.log_path.open("wb") as log:
            supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CHILD), "supervise", str(options)],
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert supervisor.stdout is not None  # noqa: S101  (asked for above)
        line = supervisor.stdout.readline()
        supervisor.stdout.close()
        connected = self._try_connect() if line else None
        if connected is None:
            raise self._start_error("It could not be started.")
        self._supervisors.append(supervisor)
        return connected

    def failure(self) -> HostStartError | None:
        """Returns the error that says why the host did not start; None if it started or still may."""
        try:
            why = self.spec.failure_path.read_text(encoding="utf-8")
        except OSError:
            return None
        return self._start_error(why)

    def _start_error(self, why: str) -> HostStartError:
        """Returns an error with the reason and the last lines of the host's log."""
        words = self.last_words()
        told = f" Its log ends with: {words}" if words else ""
        return HostStartError(
            f"The environment {self.spec.environment!r} does not start. {why} The code is not at fault. An "
            f"administrator can build it again: manage.py environments build {self.spec.environment}.{told}"
        )

    def last_words(self) -> str:
        """Returns the last lines of the host's log."""
        try:
            lines = self.spec.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return " ".join(lines[-3:])[-500:]


def _link_toolkits(spec: HostSpec) -> None:
    """Creates a folder that contains only links to the toolkits, because their neighbours are not for renders."""
    spec.toolkits_dir.mkdir(mode=0o700, exist_ok=True)
    for toolkit in spec.toolkits:
        link = spec.toolkits_dir / toolkit.name
        if not link.is_symlink():
            link.symlink_to(toolkit, target_is_directory=True)


def _write_private(path: Path, text: str) -> None:
    """Writes atomically a file that only this user can read."""
    temporary = path.with_suffix(".part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.rename(path)


def hosts_end(run_dir: Path) -> None:
    """Ends all hosts of a directory with their renders and waits until they are gone. Called when the machine stops."""
    for path in run_dir.glob("*.pid"):
        pid = _supervisor_of(path)
        if pid:
            processes.send_signal(pid, signal.SIGTERM)
        else:
            path.unlink(missing_ok=True)
    until = time.monotonic() + _END_S
    while any(run_dir.glob("*.pid")) and time.monotonic() < until:
        time.sleep(0.02)


def _supervisor_of(path: Path) -> int | None:
    """Returns the id of the running supervisor that wrote the file, recognized by its lock, since ids are reused.

    The id is read from the open file whose lock was tested: a supervisor removes the path when it ends.
    """
    try:
        with path.open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # The file is empty between the supervisor's locking it and writing its id.
                return int(file.read() or 0) or None
    except OSError:
        pass
    return None


def _has_ended(connected: socket.socket) -> bool:
    """Whether the peer of an idle connection is gone."""
    readable, _, _ = select.select([connected], [], [], 0)
    try:
        return bool(readable) and not connected.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def ask(connected: socket.socket | None, message: dict[str, Any]) -> dict[str, Any]:
    """Sends a message and returns the answer.

    Raises:
        HostLostError: the host did not answer.
    """
    assert connected is not None  # noqa: S101  (its caller has just connected)
    connected.settimeout(_READY_S)
    try:
        connected.sendall(json.dumps(message).encode() + b"\n")
        buffer = b""
        while not buffer.endswith(b"\n"):
            received = connected.recv(65536)
            if not received:
                raise HostLostError("The render host ended.")
            buffer += received
    except OSError as error:
        raise HostLostError(f"The render host does not answer: {error}") from error
    answer: dict[str, Any] = json.loads(buffer)
    return answer
