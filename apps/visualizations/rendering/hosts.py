"""Render hosts as a worker sees them: found by their socket, started where there is none, asked how they are.

A host belongs to one environment, one place of work and one sandbox mode. Workers of one machine share it.
"""

from __future__ import annotations

import fcntl
import hashlib
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apps.visualizations.rendering import environments

CHILD: Final = Path(__file__).with_name("child")
# The keeper puts the host's home in its place; it makes one for each host.
HOME_MARK: Final = "@home@"
_READY_S: Final = 90.0
_END_S: Final = 5.0
# sockaddr_un holds 108 bytes with the closing NUL.
_MAX_SOCKET_PATH: Final = 107
# Numeric libraries read these; everything else of the worker's environment stays out.
_PASSED_ON: Final = ("LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# A thread in the host would be lost in its children, with whatever lock it holds.
_NO_THREADS: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "_RJEM_MALLOC_CONF": "background_thread:false",
}


class HostLostError(Exception):
    """The host does not start, or ended in the middle of a render; the text says what is known."""


class HostStuckError(HostLostError):
    """The host is there and says nothing, long after it should have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """Which host.

    Attributes:
        interpreter: the environment's Python.
        run_dir: for its socket, lock and log; readable by its owner only.
        work_root: the renders' directories are below it.
        sandbox: auto, bwrap, landlock or none.
        slots: renders at once; more wait in the host.
        spares: children forked ahead of need.
        max_renders: after so many a fresh host takes its place.
        idle_s: it ends that long after its last caller.
    """

    environment: str
    interpreter: Path
    run_dir: Path
    work_root: Path
    sandbox: str = "auto"
    preload: tuple[str, ...] = ()
    slots: int = max(4, 2 * (os.cpu_count() or 1))
    spares: int = min(4, os.cpu_count() or 1)
    max_renders: int = 2000
    idle_s: float = 20.0

    @property
    def name(self) -> str:
        """A short name that no host of other files or another mode has."""
        facts = (self.interpreter, self.work_root, self.sandbox, self.slots, self.spares, self.max_renders, self.idle_s)
        return f"{self.environment}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:10]}"

    @property
    def socket_path(self) -> Path:
        """Where it listens."""
        path = self.run_dir / f"{self.name}.sock"
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
            return path
        return _short_dir() / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"

    @property
    def status_path(self) -> Path:
        """What it last said of itself."""
        return self.run_dir / f"{self.name}.status.json"

    @property
    def pid_path(self) -> Path:
        """Its keeper's number; the keeper holds a lock on the file."""
        return self.run_dir / f"{self.name}.pid"

    @property
    def log_path(self) -> Path:
        """What it prints itself."""
        return self.run_dir / f"{self.name}.log"


def _short_dir() -> Path:
    short = Path(tempfile.gettempdir()) / f"vizportal-{os.getuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid != os.getuid() or short.stat().st_mode & 0o077:
        raise HostLostError(f"{short} is not this user's own directory; choose a shorter data directory.")
    return short


@dataclass(slots=True)
class RenderHost:
    """One host, from outside. Safe to use from several processes; one render at a time from each of ours."""

    spec: HostSpec
    _presence: socket.socket | None = field(default=None, repr=False)
    _keepers: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    def connect(self) -> socket.socket:
        """Returns a connection, to a host that is started where none listens. It may still be importing.

        Raises:
            HostLostError: none can be started.
        """
        connected = self._try_connect()
        if connected is None:
            with self._lock():
                connected = self._try_connect() or self._start()
        return connected

    def status(self) -> dict[str, Any]:
        """Returns what the host says of itself, once it is ready: mode, abi, gaps, pid, renders, start_s, missing.

        The connection is kept: as long as somebody is there the host does not end, and the next render finds it warm.

        Raises:
            HostLostError: it does not start.
        """
        for is_last in (False, False, True):
            self.stay()
            try:
                return ask(self._presence, {"status": True})
            except HostLostError:
                # It may have ended between the look and the question; then the next one is on its way.
                self.leave()
                if is_last:
                    raise
        raise AssertionError("unreachable")

    def stay(self) -> None:
        """Connects and keeps the connection: as long as somebody is there the host does not end.

        Raises:
            HostLostError: it does not start.
        """
        if self._presence is not None and _has_ended(self._presence):
            self.leave()
        if self._presence is None:
            self._presence = self.connect()

    def read_status(self) -> dict[str, Any] | None:
        """Returns what the host last wrote of itself, without waiting; None where there is no host, or not yet."""
        try:
            found: dict[str, Any] = json.loads(self.spec.status_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def leave(self) -> None:
        """Gives the presence up, so that the host may end."""
        if self._presence is not None:
            self._presence.close()
            self._presence = None

    def end(self) -> None:
        """Ends the host with all its renders, whoever ordered them: it is stuck."""
        pid = _keeper_of(self.spec.pid_path)
        if pid:
            os.kill(pid, signal.SIGTERM)

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
        self._keepers = [keeper for keeper in self._keepers if keeper.poll() is None]
        options = self.spec.run_dir / f"{self.spec.name}.json"
        options.write_text(json.dumps(_keeper_options(self.spec)), encoding="utf-8")
        with self.spec.log_path.open("wb") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CHILD), "keep", str(options)],
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert keeper.stdout is not None  # noqa: S101  (asked for above)
        line = keeper.stdout.readline()
        keeper.stdout.close()
        connected = self._try_connect() if line else None
        if connected is None:
            raise HostLostError(f"The render host of {self.spec.environment!r} does not start. {self.last_words()}")
        self._keepers.append(keeper)
        return connected

    def last_words(self) -> str:
        """Returns the end of the host's log."""
        try:
            lines = self.spec.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return " ".join(lines[-3:])[-500:]


def hosts_end(run_dir: Path) -> None:
    """Ends the hosts of a directory, renders and all, and waits until they are gone: the whole machine is stopping."""
    for path in run_dir.glob("*.pid"):
        pid = _keeper_of(path)
        if pid:
            os.kill(pid, signal.SIGTERM)
        else:
            path.unlink(missing_ok=True)
    until = time.monotonic() + _END_S
    while any(run_dir.glob("*.pid")) and time.monotonic() < until:
        time.sleep(0.02)


def _keeper_of(path: Path) -> int | None:
    """Returns the keeper that wrote the file and lives, which it shows by its lock; a number alone may be reused."""
    try:
        with path.open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(path.read_text(encoding="ascii"))
    except OSError:
        pass
    return None


def _has_ended(connected: socket.socket) -> bool:
    """Whether the other end of an idle connection is gone."""
    readable, _, _ = select.select([connected], [], [], 0)
    try:
        return bool(readable) and not connected.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def ask(connected: socket.socket | None, message: dict[str, Any]) -> dict[str, Any]:
    """Sends a message and returns the answer.

    Raises:
        HostLostError: none came.
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


def _outer_wall(spec: HostSpec) -> list[str]:
    """Returns the command that puts a host into namespaces of its own: no network, no other processes, no portal.

    Raises:
        HostLostError: bubblewrap is asked for and not installed.
    """
    if spec.sandbox != "bwrap":
        return []
    program = shutil.which("bwrap")
    if program is None:
        raise HostLostError("VIZPORTAL_SANDBOX=bwrap, but bubblewrap (bwrap) is not installed.")
    spec.work_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = [tempfile.gettempdir(), "/run", str(spec.run_dir.parent)]
    needed = [spec.interpreter.parents[1], spec.interpreter.resolve().parents[1], CHILD]
    shown = [spec.work_root, spec.run_dir]
    return [
        *(program, "--die-with-parent", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-pid"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *(part for path in hidden if os.path.isdir(path) for part in ("--tmpfs", path)),  # noqa: PTH112
        # What the host is made of may lie below something that was just hidden.
        *(part for path in needed for part in ("--ro-bind", str(path), str(path))),
        *(part for path in shown for part in ("--bind", str(path), str(path))),
        *("--bind", HOME_MARK, HOME_MARK),
    ]


def _keeper_options(spec: HostSpec) -> dict[str, Any]:
    interpreter = spec.interpreter
    return {
        "socket": str(spec.socket_path),
        "pid": str(spec.pid_path),
        "command": [*_outer_wall(spec), str(interpreter), "-I", str(CHILD), "serve"],
        "environ": {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **_NO_THREADS,
            "PATH": f"{interpreter.parent}:/usr/local/bin:/usr/bin:/bin",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONUTF8": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        },
        "host": {
            "environment": spec.environment,
            # Bubblewrap stands around the host as a whole; each child confines itself all the same.
            "sandbox": "landlock" if spec.sandbox == "bwrap" else spec.sandbox,
            "outer": "bwrap" if spec.sandbox == "bwrap" else "",
            "preload": list(spec.preload),
            "read_paths": [str(environments.matplotlib_cache_dir(interpreter))],
            "asset_index": str(interpreter.parent.parent / "share" / "vizportal" / "assets" / "index.json"),
            "watch": [str(interpreter.parent.parent / environments.MARK)],
            "status": str(spec.status_path),
            "slots": spec.slots,
            "spares": spec.spares,
            "max_renders": spec.max_renders,
            "idle_s": spec.idle_s,
        },
    }
