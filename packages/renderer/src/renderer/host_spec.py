"""The specification of a render host, and the options of the supervisor that starts it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from renderer import environments

CHILD: Final = Path(__file__).with_name("child")
# Placeholders that the supervisor replaces: the host's home, which it creates, and the folders of its control groups.
HOME_MARK: Final = "@home@"
CGROUPS_MARK: Final = "@cgroups@"
# sockaddr_un holds 108 bytes with the closing NUL.
_MAX_SOCKET_PATH: Final = 107
# Numeric libraries read these. No other variable of the worker's environment is passed on.
_PASSED_ON: Final = ("LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# A fork loses the host's threads but keeps the locks that they hold.
_NO_THREADS: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "_RJEM_MALLOC_CONF": "background_thread:false",
}
# Keeps TensorFlow's and gRPC's messages about the machine out of results.
_QUIET: Final = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "GRPC_VERBOSITY": "NONE",
    "ABSL_MIN_LOG_LEVEL": "3",
}


class HostLostError(Exception):
    """The host does not start, or ended during a render; the text gives what is known."""


class HostStartError(HostLostError):
    """The host does not start: its libraries fail to import or take longer than `HostSpec.start_timeout_s`."""


class HostStuckError(HostLostError):
    """The host is running but has not answered for a long time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """Specification of a render host.

    Attributes:
        interpreter: the environment's Python.
        run_dir: holds its socket, lock and log; readable by its owner only.
        work_root: the parent of the renders' directories.
        sandbox: auto, bwrap, landlock or none.
        termination: how all processes of a render are kept together so that they can be ended: auto, namespace, cgroup,
            group or threads (host/containment.py). Unless it is auto, a host that cannot use it does not start.
        preload: modules to import before the first fork.
        toolkits: folders of Python packages that the code of renders may import in addition to the environment's, by
            their names. A toolkit may have a module `display_defaults` with a dict AFTER_IMPORT, which maps the name of
            a library to a function without arguments that is called once that library is imported. It may also have a
            module `prefork` with a tuple MODULES, the names of its modules that the host imports before it forks, and a
            function `warm` without arguments that the host calls afterwards; `warm` must not start a thread.
        slots: how many renders run at once; further ones wait in the host.
        idle_children: children forked ahead of need.
        max_renders: how many renders a host runs before a new one replaces it.
        idle_s: how long a host without callers waits before it ends.
        start_timeout_s: how long the import of its libraries may take.
    """

    environment: str
    interpreter: Path
    run_dir: Path
    work_root: Path
    sandbox: str = "auto"
    termination: str = "auto"
    preload: tuple[str, ...] = ()
    toolkits: tuple[Path, ...] = ()
    slots: int = max(4, 2 * (os.cpu_count() or 1))
    idle_children: int = min(4, os.cpu_count() or 1)
    max_renders: int = 2000
    idle_s: float = 20.0
    start_timeout_s: float = 300.0

    @property
    def name(self) -> str:
        """A short name, unique to this combination of files and options."""
        facts = (
            *(self.interpreter, self.work_root, self.sandbox, self.termination, self.toolkits),
            *(self.slots, self.idle_children, self.max_renders, self.idle_s, self.start_timeout_s),
        )
        return f"{self.environment}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:10]}"

    @property
    def socket_path(self) -> Path:
        """The path of its Unix socket."""
        path = self.run_dir / f"{self.name}.sock"
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
            return path
        return _short_dir() / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"

    @property
    def toolkits_dir(self) -> Path:
        """A folder on the host's module search path that contains only links to its toolkits."""
        return self.run_dir / f"{self.name}.toolkits"

    @property
    def status_path(self) -> Path:
        """The file with the last status that the host wrote."""
        return self.run_dir / f"{self.name}.status.json"

    @property
    def pid_path(self) -> Path:
        """The file with the supervisor's process id; the supervisor holds a lock on it."""
        return self.run_dir / f"{self.name}.pid"

    @property
    def options_path(self) -> Path:
        """The file with the supervisor's options, including the key that callers present."""
        return self.run_dir / f"{self.name}.json"

    @property
    def failure_path(self) -> Path:
        """The file that says why the last start failed; missing after a successful start."""
        return self.run_dir / f"{self.name}.failure"

    @property
    def log_path(self) -> Path:
        """The file with the output of host and supervisor."""
        return self.run_dir / f"{self.name}.log"


def _short_dir() -> Path:
    short = Path(tempfile.gettempdir()) / f"vizportal-{os.getuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid != os.getuid() or short.stat().st_mode & 0o077:
        raise HostLostError(f"{short} is not this user's own directory; choose a shorter data directory.")
    return short


def _outer_wall(spec: HostSpec) -> list[str]:
    """Returns the command prefix that puts a host into its own namespaces: no network, no other processes, no portal.

    Raises:
        HostLostError: bubblewrap is requested but not installed.
    """
    if spec.sandbox != "bwrap":
        return []
    program = shutil.which("bwrap")
    if program is None:
        raise HostLostError("VIZPORTAL_SANDBOX=bwrap, but bubblewrap (bwrap) is not installed.")
    spec.work_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = [tempfile.gettempdir(), "/run", str(spec.run_dir.parent)]
    needed = [spec.interpreter.parents[1], spec.interpreter.resolve().parents[1], CHILD, *spec.toolkits]
    shown = [spec.work_root, spec.run_dir]
    return [
        *(program, "--die-with-parent", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-pid"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *(part for path in hidden if os.path.isdir(path) for part in ("--tmpfs", path)),  # noqa: PTH112
        # The host's own files may lie below a folder that was just hidden.
        *(part for path in needed for part in ("--ro-bind", str(path), str(path))),
        *(part for path in shown for part in ("--bind", str(path), str(path))),
        *("--bind", HOME_MARK, HOME_MARK),
        CGROUPS_MARK,
    ]


def supervisor_options(spec: HostSpec) -> dict[str, Any]:
    """Returns the options of this host's supervisor, as JSON values.

    Raises:
        HostLostError: bubblewrap is requested but not installed.
    """
    interpreter = spec.interpreter
    key = secrets.token_hex(32)
    return {
        "socket": str(spec.socket_path),
        "pid": str(spec.pid_path),
        "failure": str(spec.failure_path),
        "key": key,
        "start_timeout_s": spec.start_timeout_s,
        "command": [*_outer_wall(spec), str(interpreter), "-I", str(CHILD), "serve"],
        "environ": {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **_NO_THREADS,
            "PATH": f"{interpreter.parent}:/usr/local/bin:/usr/bin:/bin",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONUTF8": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            **_QUIET,
        },
        "host": {
            "environment": spec.environment,
            # Bubblewrap confines the host as a whole. Each child still confines itself.
            "sandbox": "landlock" if spec.sandbox == "bwrap" else spec.sandbox,
            "outer": "bwrap" if spec.sandbox == "bwrap" else "",
            "termination": spec.termination,
            # A render has a copy of the host's memory, so the host gets only the digest of the key.
            "key_sha256": hashlib.sha256(key.encode()).hexdigest(),
            "preload": list(spec.preload),
            "toolkits_dir": str(spec.toolkits_dir),
            "toolkits": list(map(str, spec.toolkits)),
            "read_paths": [str(environments.matplotlib_cache_dir(interpreter)), *map(str, spec.toolkits)],
            "asset_index": str(interpreter.parent.parent / "share" / "vizportal" / "assets" / "index.json"),
            "watch": [str(interpreter.parent.parent / environments.MARK)],
            "status": str(spec.status_path),
            "slots": spec.slots,
            "idle_children": spec.idle_children,
            "max_renders": spec.max_renders,
            "idle_s": spec.idle_s,
        },
    }
