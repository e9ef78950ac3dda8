"""Finds the modes that this machine offers (sandbox x termination x user) by starting a render host in each."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import renderer
import vizkit
from renderer.environments import matplotlib_cache_dir

from tests.attack import stage as stages
from tests.environments import ENVIRONMENTS

SANDBOXES = ("landlock", "bwrap", "none")
TERMINATIONS = ("namespace", "cgroup", "group", "threads")


@dataclass(frozen=True, slots=True)
class Mode:
    """How renders are confined and ended.

    Attributes:
        termination: "auto" for the host's own choice.
        user: "root", or "user" for an unprivileged one.
    """

    sandbox: str
    termination: str
    user: str

    @property
    def label(self):
        """The label in the matrix."""
        return f"{self.sandbox}/{self.termination}/{self.user}"

    def names(self):
        """Returns the names that a program's header may use for this mode."""
        return {self.sandbox, self.termination, self.user}


def candidates(user):
    """Returns the modes to try for a user."""
    return [Mode(sandbox, termination, user) for sandbox in SANDBOXES for termination in TERMINATIONS]


def own_user():
    """Returns "root" or "user" for this process."""
    return "user" if os.getuid() else "root"


@dataclass(slots=True)
class Arena:
    """A mode with a running host and a stage."""

    mode: Mode
    host: renderer.RenderHost
    stage: stages.Stage
    status: dict
    before: dict = field(default_factory=dict)

    def remember(self):
        """Records the state of host and stage before a render."""
        self.before = _options(self.host, self.host.status())
        self.stage.remember()

    def host_damage(self):
        """Returns the damage that a render did to the host and its supervisor."""
        now = _options(self.host, self.host.status())
        return [f"{name} changed" for name in self.before if self.before[name] != now.get(name)]


class NotOfferedError(Exception):
    """This machine or user does not support the mode. The text is the host's message."""


@contextmanager
def arena(mode, interpreter, **options):
    """Starts a host in a mode, with a stage.

    Raises:
        NotOfferedError: the host does not start in this mode, or selects another one.
    """
    if mode.sandbox == "bwrap" and not shutil.which("bwrap"):
        raise NotOfferedError("bubblewrap is not installed")
    stage = stages.build(os.environ.get("ATTACK_SECRET", ""), _watched(interpreter))
    host = renderer.RenderHost(_spec(mode, interpreter, stage, options))
    try:
        status = _start(mode, host)
        yield Arena(mode, host, stage, status)
    finally:
        host.leave()
        renderer.hosts_end(host.spec.run_dir)
        stage.remove()


def _start(mode, host):
    try:
        status = host.status()
    except renderer.HostLostError as error:
        raise NotOfferedError(str(error)[-200:]) from error
    if mode.termination not in {"auto", status.get("termination", "auto")}:
        raise NotOfferedError(f"the host ends renders by {status.get('termination')}")
    wanted = {"bwrap": "bwrap+landlock"}.get(mode.sandbox, mode.sandbox)
    if status["mode"] != wanted:
        raise NotOfferedError(f"the host confines by {status['mode']}")
    return status


def _spec(mode, interpreter, stage, options):
    info = ENVIRONMENTS.get("base")
    return renderer.HostSpec(
        environment="base",
        interpreter=interpreter,
        run_dir=stage.base / "data" / "run",
        work_root=stage.work_root,
        sandbox=mode.sandbox,
        termination=mode.termination,
        preload=info.preload,
        toolkits=(vizkit.TOOLKIT_DIR,),
        idle_s=10,
        # Don't replace the host during a run, since that would look like damage.
        **{"max_renders": 10**9, **options},
    )


def _watched(interpreter):
    """Returns folders and files of the environment that must not change."""
    packages = sorted(interpreter.parents[1].glob("lib/python*/site-packages"))
    found = [interpreter.parents[1], interpreter.parent, *packages, *(path / "pandas" for path in packages)]
    found += [path / "pandas" / "__pycache__" for path in packages]
    return [*found, matplotlib_cache_dir(interpreter), Path(__file__)]


def _options(host, status):
    pids = {
        "host": status["pid"] if Path(f"/proc/{status['pid']}/stat").exists() else 0,
        "supervisor": host.supervisor_pid(),
    }
    found = {"pid of the host": status["pid"], "pid of the supervisor": pids["supervisor"]}
    for name, pid in pids.items():
        # In its own namespace, the host has another process id.
        if pid and not (name == "host" and pid < 100):
            found |= {f"{name}'s {option}": value for option, value in stages.process_options(pid).items()}
    return found
