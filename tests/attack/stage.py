"""The trusted side of an attack: everything that a render must not read, change, reach or end.

A stage belongs to one render host. Everything on it belongs to the portal's own user, so only the sandbox protects
it. Every secret has the same form, so that one search finds all of them in a render's output.
"""

import ctypes
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# No other program allocates exactly this size.
SHARED_BYTES = 100 * 1024**2 + 7 * 4096
SECRET = re.compile(rb"VPSECRET[0-9a-f]{24}")


def new_secret():
    """Returns a unique value."""
    return f"VPSECRET{secrets.token_hex(12)}"


@dataclass(slots=True)
class Stage:
    """A folder with secrets and victims, listening sockets, and a process that must not be disturbed."""

    base: Path
    canary: subprocess.Popen
    listeners: dict[str, socket.socket]
    lifeline: Path
    shared: Path
    watched: tuple[Path, ...] = ()
    before: dict = field(default_factory=dict)

    @property
    def work_root(self):
        """The folder of the renders' directories."""
        return self.base / "data" / "work"

    def variables(self):
        """Returns the variables of a program: addresses, but no secrets."""
        return {
            "base": str(self.base),
            "secret": str(self.base / "data" / "secret_key"),
            "secrets": [str(self.base / name) for name in _SECRETS],
            "victim": str(self.base / "outside" / "victim"),
            "outside": str(self.base / "outside"),
            "data": str(self.base / "data"),
            "run_dir": str(self.base / "data" / "run"),
            "canary": self.canary.pid,
            "suite": os.getpid(),
            "queue": str(self.base / "queue" / "queue.sock"),
            "abstract": self.listeners["abstract"].getsockname()[1:].decode(),
            "tcp": self.listeners["tcp"].getsockname()[1],
            "tcp6": self.listeners["tcp6"].getsockname()[1] if "tcp6" in self.listeners else 0,
            "udp": self.listeners["udp"].getsockname()[1],
            "lifeline": str(self.lifeline),
            "shared": str(self.shared),
            "shared_bytes": SHARED_BYTES,
        }

    def remember(self):
        """Records the state of everything before a render."""
        self.canary.send_signal(signal.SIGCONT)
        self.heard()
        self.before = self._look()

    def damage(self):
        """Returns what has changed."""
        now = self._look()
        names = sorted(self.before.keys() | now)
        changed = [f"{name} changed" for name in names if self.before.get(name) != now.get(name)]
        ended = ["the canary process ended"] if self.canary.poll() is not None else []
        return [*changed, *ended, *self.heard()]

    def held_up(self):
        """Returns locks on a file that renders may only read. Call it while a render runs."""
        if not _may_write(self.shared):
            return ["a lease is on a file that it may only read"]
        with self.shared.open("rb+") as file:
            return [f"a {name} is on a file that it may only read" for name, ask in _HOLDS.items() if not ask(file)]

    def heard(self):
        """Returns and resets the sockets that were reached."""
        return [f"the {name} socket was reached" for name, each in self.listeners.items() if _has_caller(each)]

    def _look(self):
        found = {}
        for root in (self.base / "data", self.base / "outside", self.base / "queue"):
            for folder, folders, files in os.walk(root):
                # The host's own files, and the renders' directories.
                folders[:] = [name for name in folders if name != "run" and not name.startswith("render-")]
                for name in files:
                    found[f"{folder}/{name}"] = _state_of(Path(folder, name))
                if Path(folder) != self.work_root and Path(folder) != root:
                    found[folder] = _state_of(Path(folder))
        found |= {str(path): _state_of(path) for path in self.watched}
        return found | {f"canary {name}": value for name, value in process_options(self.canary.pid).items()}

    def remove(self):
        """Ends the processes and removes the files of the stage."""
        for each in self.listeners.values():
            each.close()
        self.canary.kill()
        self.canary.wait()
        shutil.rmtree(self.base, ignore_errors=True)


_SECRETS = (
    "data/secret_key",
    "data/db.sqlite3",
    "data/results/page.html",
    "data/work/other-render/result.html",
    "home/.ssh/id",
)


def build(environ_secret, watched=()):
    """Returns a new stage.

    Args:
        environ_secret: the secret in the environment of this process and of the canary.
        watched: further paths that must not change.
    """
    base = Path(tempfile.mkdtemp(prefix="attack-"))
    for name in _SECRETS:
        path = base / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(new_secret(), encoding="ascii")
        path.chmod(0o600)
    for name in ("outside", "queue"):
        (base / name).mkdir(mode=0o700)
    (base / "outside" / "victim").write_text("unharmed", encoding="ascii")
    (base / "outside" / "victim").chmod(0o640)
    # It is below the folder of the renders, like a render's input and packages: bubblewrap shows nothing else.
    inputs = base / "data" / "work" / "inputs"
    inputs.mkdir(mode=0o700)
    lifeline, shared = inputs / "lifeline", inputs / "packages" / "shared.py"
    os.mkfifo(lifeline)
    shared.parent.mkdir(mode=0o700)
    shared.write_text("shared = 1", encoding="ascii")
    canary = subprocess.Popen(
        ["sleep", "100000"], env={"PATH": os.defpath, "ATTACK_SECRET": environ_secret}, stdin=subprocess.DEVNULL
    )
    return Stage(base, canary, _listen(base), lifeline, shared, tuple(watched))


def _may(*arguments):
    try:
        fcntl.fcntl(*arguments) if len(arguments) == 3 else fcntl.flock(*arguments)
    except BlockingIOError:
        return False
    return True


def _may_write(path):
    """Returns whether a file can be opened for writing. A lease makes the next writer wait."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except BlockingIOError:
        return False
    return True


_WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
_HOLDS = {
    "lock": lambda file: _may(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
    "record lock": lambda file: _may(file, fcntl.F_SETLK, _WHOLE_FILE),
}


def _listen(base):
    found = {}
    for name, family, kind, address in (
        ("queue", socket.AF_UNIX, socket.SOCK_STREAM, str(base / "queue" / "queue.sock")),
        ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{base.name}"),
        ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
        ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
    ):
        try:
            listener = socket.socket(family, kind)
            listener.bind(address)
        except OSError:
            continue  # no IPv6 here
        if kind == socket.SOCK_STREAM:
            listener.listen(16)
        listener.setblocking(False)
        found[name] = listener
    return found


def _has_caller(listener):
    found = False
    while True:
        try:
            if listener.type == socket.SOCK_STREAM:
                listener.accept()[0].close()
            else:
                listener.recv(65536)
            found = True
        except BlockingIOError:
            return found


def _state_of(path):
    try:
        status = path.lstat()
        names = os.listxattr(path, follow_symlinks=False)
        attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
    except OSError as error:
        return str(error)
    facts = (status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_nlink, status.st_mtime_ns)
    is_small = path.is_file() and not path.is_symlink() and status.st_size < 1024**2
    return facts, attributes, hashlib.sha256(path.read_bytes()).hexdigest() if is_small else ""


def shared_memory_remove():
    """Removes System V memory of attacks, which is recognized by its size. It outlives its processes.

    Other shared memory is not touched, since other programs on this machine have some too.
    """
    with suppress(OSError):
        for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[3]) == SHARED_BYTES:
                ctypes.CDLL(None).shmctl(int(fields[1]), 0, None)


def process_options(pid):
    """Returns properties that other processes can change: limits, priorities, affinity, and whether it is stopped."""
    try:
        found = {name: Path(f"/proc/{pid}/{name}").read_text() for name in ("limits", "oom_score_adj")}
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        found["state"] = "stopped" if state in "tTZX" else "running"
        found["nice"] = os.getpriority(os.PRIO_PROCESS, pid)
        found["scheduler"] = os.sched_getscheduler(pid)
        found["affinity"] = tuple(os.sched_getaffinity(pid))
    except OSError as error:
        return {"state": str(error)}
    return found
