"""A PID namespace for each render: when its first process ends, the kernel ends all others in it.

That first process (init) does nothing. It waits for the end of a pipe whose other end only the host holds, so it also
ends, with everything in the namespace, when the host is killed. See pid_namespaces(7).

Namespaces require CAP_SYS_ADMIN. A host without it gets it in a user namespace of its own, if the system allows
unprivileged user namespaces; see user_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from . import processes

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
_PROGRAMS: Final = "/bin:/usr/bin"
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A PID namespace, as the host sees it.

    Attributes:
        init: the id of its first process, a child of the host.
        lifeline: a descriptor; closing it ends the namespace.
    """

    init: int
    lifeline: int

    def end(self) -> None:
        """Ends every process in the namespace. The first one can be waited for once all others are gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.init, signal.SIGKILL)
        os.close(self.lifeline)


def become_able() -> int | None:
    """Enables this process to create PID namespaces.

    Without CAP_SYS_ADMIN it enters a user namespace and a PID namespace that belongs to it, since a process can only
    return to such a PID namespace after each fork. The caller continues as the first process there, with the matching
    /proc, and everything in it ends with the caller. The original process waits outside and ends the way the caller
    does.

    Returns:
        The caller's process id outside of the new namespace; None if it needed none.

    Raises:
        OSError: the system does not allow it.
    """
    _init_command()
    if _has_sys_admin():
        return None
    user, group = os.geteuid(), os.getegid()
    _call(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID))
    # The order matters: the kernel accepts a group map only after setgroups is denied.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)
    readable, writable = os.pipe()
    pid = os.fork()
    if pid:
        os.write(writable, str(pid).encode())
        _wait_outside(pid)
    processes.die_with_parent(signal.SIGKILL, 0)
    _mount_proc()
    os.close(writable)
    with os.fdopen(readable, "rb") as file:
        return int(file.read())


def _wait_outside(pid: int) -> NoReturn:
    """Represents a process in a namespace: forwards SIGTERM and SIGINT to it, and ends the way it does."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: processes.send_signal(pid, number))
    # With the host's sockets still open here, nobody would notice the host's end.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _mount_proc() -> None:
    _call(_libc.unshare(_CLONE_NEWNS))
    _call(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None))
    _call(_libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(_MS_NOSUID | _MS_NODEV | _MS_NOEXEC), None))


class Namespaces:
    """Creates namespaces for children of this process."""

    def __init__(self) -> None:
        """Remembers this process's own namespace, to which it returns after each fork.

        Raises:
            OSError: the system does not reveal it.
        """
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    @contextlib.contextmanager
    def new(self) -> Iterator[Namespace]:
        """Context manager: creates a namespace for the processes that this process forks in the block.

        The forked child must not leave the block by an exception.

        Raises:
            OSError: it cannot be created.
        """
        parent = os.getpid()
        _call(_libc.unshare(_CLONE_NEWPID))
        try:
            namespace = _spawn_init()
            yield namespace
        finally:
            if os.getpid() == parent:
                _call(_libc.setns(self._own, _CLONE_NEWPID))

    def settle_in(self, namespace: Namespace) -> None:
        """Gives the calling process, the first forked into a namespace, a /proc that shows only that namespace.

        Closes the host's descriptors in this process: with the lifeline it would outlive the host.

        Raises:
            OSError: the system does not allow it, for instance because a container hides parts of /proc.
        """
        os.close(namespace.lifeline)
        os.close(self._own)
        _mount_proc()


def _spawn_init() -> Namespace:
    readable, lifeline = os.pipe()
    command = _init_command()
    actions = [
        (os.POSIX_SPAWN_DUP2, readable, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        init = os.posix_spawn(command[0], command, {}, file_actions=actions, setsid=True)
    except OSError:
        os.close(lifeline)
        raise
    finally:
        os.close(readable)
    return Namespace(init=init, lifeline=lifeline)


@functools.cache
def _init_command() -> tuple[str, ...]:
    """Returns the command of a namespace's first process, which reads its standard input to the end and exits.

    If `env` can make it ignore SIGCHLD (coreutils 8.31), the kernel reaps the orphans that become its children.
    Otherwise they count against the limit of processes until the end.

    Raises:
        FileNotFoundError: the required program is missing.
    """
    cat, env = (shutil.which(name, path=_PROGRAMS) for name in ("cat", "env"))
    if cat is None:
        raise FileNotFoundError("There is no program `cat` to be the first process of a namespace.")
    ignoring = (env or cat, "--ignore-signal=CHLD", cat)
    is_known = subprocess.run([*ignoring, os.devnull], capture_output=True, check=False, env={}).returncode == 0
    return ignoring if env is not None and is_known else (cat,)


def _has_sys_admin() -> bool:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> 21 & 1)
    return False


def _call(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
