"""How the processes of a render are kept together, and how the host knows that none of them is left.

A host tries four mechanisms, each enforced by the kernel, in this order:

namespace   a PID namespace for each render (namespaces.py): when its first process ends, so do all others.
cgroup      a control group of version 2 for each render (cgroups.py), ended by its file `cgroup.kill`.
group       a process group that no member can leave, since the system call filter answers setsid and setpgid itself.
            The kernel's signal to a group and a fork in it exclude each other: fork takes `tasklist_lock` for writing
            and gives up if a signal is pending (copy_process in kernel/fork.c), and the signal goes to all members
            under the same lock (kill_something_info in kernel/signal.c). So one SIGKILL reaches every member.
threads     the same, and the filter lets a render start no process at all.

All of them also use the process group, and signal it first. When a host starts, it attacks each mechanism in turn and
takes the first that holds (`prove`).
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ..sandbox.confinement import Sandbox, has_seccomp
from ..sandbox.seccomp import Spawning
from . import cgroups, namespaces, processes
from .log import log

# In the order in which they are tried.
MECHANISMS: Final = ("namespace", "cgroup", "group", "threads")
_PROOF_S: Final = 5.0
_CHAINS: Final = 4
_CHAIN_LENGTH: Final = 2000
_LIFE_S: Final = 8.0


@dataclass(slots=True, eq=False)
class Processes:
    """The processes of one render, from its fork until none is left.

    Attributes:
        leader: the forked process, whose id is that of the process group.
        namespace, group: what keeps them together in addition; None if nothing does.
    """

    leader: int
    namespace: namespaces.Namespace | None = None
    group: cgroups.Group | None = None
    _is_ending: bool = False

    @property
    def lifeline(self) -> int | None:
        """The descriptor that keeps a namespace alive; None if there is no namespace or it is ending."""
        return None if self.namespace is None or self._is_ending else self.namespace.lifeline

    @property
    def waited_for(self) -> tuple[int, ...]:
        """The ids of the processes whose exit codes the host, as their parent, has to collect."""
        return (self.leader,) if self.namespace is None else (self.leader, self.namespace.init)

    def end(self) -> None:
        """Kills all of them. They take a moment to disappear; see `are_gone`."""
        processes.kill_group(self.leader)
        # A process forked a moment ago does not lead a group yet.
        processes.send_signal(self.leader, signal.SIGKILL)
        if self.group is not None:
            self.group.kill()
            self.group.weigh("ending")
        if self.namespace is not None and not self._is_ending:
            self.namespace.end()
        self._is_ending = True

    def are_gone(self, reaped: Callable[[int], bool]) -> bool:
        """Whether none is left, according to the kernel.

        Args:
            reaped: whether the host has collected the exit code of a child of its own.
        """
        if not all(map(reaped, self.waited_for)) or not processes.kill_group(self.leader):
            return False
        # A control group cannot be removed while it contains a process.
        return self.group is None or self.group.remove()


class Containment:
    """Forks children that can be ended with everything they start.

    Attributes:
        mechanism: the mechanism that keeps a render's processes together; "none" if there is none.
        outer_pid: this process's id outside, if it has moved into a PID namespace of its own; None otherwise.
        hierarchy: where control groups can be created; None if they cannot.
    """

    def __init__(self, mechanism: str, hierarchy: cgroups.Hierarchy | None) -> None:
        """Prepares a mechanism.

        Args:
            mechanism: one of `MECHANISMS`, or "none".
            hierarchy: where control groups can be created; None if they cannot.

        Raises:
            OSError: the system does not allow it.
        """
        self.mechanism = mechanism
        self.hierarchy = hierarchy
        # Random, because consecutive hosts have their groups in the same place.
        self._names = (f"render-{os.urandom(4).hex()}-{number}" for number in itertools.count())
        self._namespaces: namespaces.Namespaces | None = None
        self.outer_pid: int | None = None
        if mechanism == "namespace":
            self.outer_pid = namespaces.become_able()
            self._namespaces = namespaces.Namespaces()
        elif mechanism == "cgroup" and (hierarchy is None or hierarchy.version != 2):
            raise OSError("There is no control group of version 2 to make others in.")
        elif mechanism in {"group", "threads"} and not has_seccomp():
            raise OSError("This kernel has no system call filter.")

    @property
    def spawning(self) -> Spawning:
        """What a render may start."""
        return "threads" if self.mechanism == "threads" else "processes"

    def fork(self, run_child: Callable[[], NoReturn]) -> Processes:
        """Forks a child, which becomes the leader of a process group and runs `run_child`.

        Raises:
            OSError: the system refused.
        """
        group = self._new_group()
        with self._new_namespace() as namespace:
            pid = os.fork()
            if not pid:
                self._be_child(group, namespace, run_child)
        return Processes(leader=pid, namespace=namespace, group=group)

    def _be_child(
        self,
        group: cgroups.Group | None,
        namespace: namespaces.Namespace | None,
        run_child: Callable[[], NoReturn],
    ) -> NoReturn:
        try:
            os.setsid()
            if group is not None:
                group.join()
            if self._namespaces is not None and namespace is not None:
                self._namespaces.settle_in(namespace)
            run_child()
        finally:
            os._exit(1)

    @contextmanager
    def _new_namespace(self) -> Iterator[namespaces.Namespace | None]:
        if self._namespaces is None:
            yield None
            return
        with self._namespaces.new() as namespace:
            yield namespace

    def _new_group(self) -> cgroups.Group | None:
        if self.hierarchy is None:
            return None
        return cgroups.Group(self.hierarchy, next(self._names))


def choose(wanted: str, hierarchy: cgroups.Hierarchy | None, *, is_confined: bool) -> Containment:
    """Returns the first mechanism that holds on this machine; "none" if none does.

    Args:
        wanted: "auto", or the only mechanism to try.
        hierarchy: where control groups can be created; None if they cannot.
        is_confined: whether renders run in the sandbox.

    Raises:
        OSError: the only mechanism to try does not hold.
    """
    for mechanism in MECHANISMS if wanted == "auto" else (wanted,):
        if _holds(mechanism, hierarchy, is_confined=is_confined):
            return Containment(mechanism, hierarchy)
    if wanted != "auto":
        raise OSError(f"The mechanism {wanted!r} does not end a render's processes on this machine.")
    return Containment("none", hierarchy)


def _holds(mechanism: str, hierarchy: cgroups.Hierarchy | None, *, is_confined: bool) -> bool:
    """Tries a mechanism in a separate process, since trying a namespace changes the process that does it."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            processes.become_subreaper()
            found = Containment(mechanism, hierarchy and hierarchy.below(f"try-{os.getpid()}"))
            code = 0 if prove(found, is_confined=is_confined) else 1
            if found.hierarchy is not None:
                found.hierarchy.remove()
        except OSError as error:
            log(f"mechanism {mechanism}: {error}")
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def prove(containment: Containment, *, is_confined: bool) -> bool:
    """Attacks a mechanism with processes that fork and exit without pause, leave their session, stop or ignore signals.

    All of them hold the write end of a pipe, so its end of file proves that none is left, whatever /proc shows.

    Returns:
        Whether the pipe had reached its end when the host would have reported the end.
    """
    readable, writable = os.pipe()
    found = containment.fork(lambda: _attack(writable, containment.spawning, is_confined=is_confined))
    os.close(writable)
    if not select.select([readable], [], [], _PROOF_S)[0] or not os.read(readable, 1):
        found.end()
        return False
    reaped: set[int] = set()
    until = time.monotonic() + _PROOF_S
    found.end()
    while not found.are_gone(reaped.__contains__):
        if time.monotonic() > until:
            return False
        reaped.update(processes.reap())
        time.sleep(0.001)
    with suppress(BlockingIOError):
        os.set_blocking(readable, False)
        while os.read(readable, 1024):
            continue
        return True
    return False


def _attack(writable: int, spawning: Spawning, *, is_confined: bool) -> NoReturn:
    if is_confined:
        sandbox = Sandbox.prepare(mode="landlock", read_paths=["/proc/self/task"])
    else:
        sandbox = Sandbox.prepare(mode="none", read_paths=[])
    sandbox.enter(readable=[], writable=[], sockets="none", max_file_bytes=0, spawning=spawning)
    ways: list[Callable[[], object]] = [
        os.setsid,
        lambda: os.setpgid(0, 0),
        lambda: os.kill(os.getpid(), signal.SIGSTOP),
    ]
    ways += [lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)] * (_CHAINS - len(ways))
    try:
        for way in ways:
            if not os.fork():
                _flee(way)
    except OSError:
        pass  # no process can be started
    os.write(writable, b"x")
    time.sleep(_LIFE_S)
    os._exit(0)


def _flee(way: Callable[[], object]) -> NoReturn:
    """Escapes in one way, then forks and exits in a chain, which stops after a while if nothing else ends it."""
    with suppress(OSError):
        way()
        for _ in range(_CHAIN_LENGTH):
            if os.fork():
                os._exit(0)
            way()
    time.sleep(_LIFE_S)
    os._exit(0)


def summary(containment: Containment) -> dict[str, Any]:
    """Returns the status about containment: the mechanism, and what enforces each limit."""
    has_groups = containment.hierarchy is not None
    controllers = containment.hierarchy.folders if containment.hierarchy is not None else {}
    version = f"cgroup v{containment.hierarchy.version}" if containment.hierarchy is not None else ""
    has_user_limit = bool(os.getuid())
    return {
        "termination": containment.mechanism,
        "limits": {
            "processes": f"{version} pids.max" if has_groups else "RLIMIT_NPROC" if has_user_limit else "sampling",
            "memory": f"{version} memory" if "memory" in controllers else "sampling",
            "disk": "sampling, unlinked files included",
            "cpu": f"{version} cpu" if "cpu" in controllers else "nice",
        },
    }
