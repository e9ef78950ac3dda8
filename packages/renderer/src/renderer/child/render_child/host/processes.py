"""What the system reports about processes: the members of a process group, and ended children.

Standard library only: the supervisor runs this under the portal's interpreter, the host under an environment's.

A list of processes from /proc may be incomplete: it misses what starts and ends in between. It is used for measuring
only. Nothing that ends processes depends on it; the kernel ensures that (containment.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_IS_LINUX: Final = sys.platform == "linux"
_PAGE: Final = os.sysconf("SC_PAGESIZE")
_libc = ctypes.CDLL(None) if _IS_LINUX else None


def become_subreaper() -> None:
    """Makes this process the new parent of its descendants' orphans, including daemons."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int, parent: int) -> None:
    """Makes the kernel send signal `number` to this process when its parent ends; exits if that already happened.

    Args:
        number: the signal.
        parent: the parent's id before the fork.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Member:
    """A process, read from /proc in one short step that no other process can delay.

    Attributes:
        threads: the number of its threads.
        resident_bytes: memory in use, counting shared pages fully.
        faulted_bytes: upper bound of the memory it has touched since it was forked.
        image: differs between two processes if either has executed a program since the fork that separated them.
    """

    threads: int
    resident_bytes: int
    faulted_bytes: int
    image: bytes


def members(group: int) -> dict[int, Member]:
    """Returns the processes of a process group that /proc shows, by id, without zombies."""
    found = {}
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208  (names only, and often)
        if name.isdecimal():
            fields = _stat(name)
            if fields[0] not in b"ZX" and int(fields[2]) == group:
                found[int(name)] = Member(
                    threads=int(fields[17]),
                    resident_bytes=int(fields[21]) * _PAGE,
                    faulted_bytes=int(fields[7]) * _PAGE,
                    image=fields[45],
                )
    return found


def descendants(root: int) -> list[int]:
    """Returns the ids of the processes below `root` that /proc shows, without `root` and zombies."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208
        if name.isdecimal():
            fields = _stat(name)
            if fields[0] not in b"ZX":
                children.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


_GONE: Final = (b"X", *[b"0"] * 50)


def _stat(name: str) -> Sequence[bytes]:
    """Returns the fields of proc_pid_stat(5) from the third (state) on; those of a dead process if it has ended."""
    try:
        with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            # The command's name is in parentheses and may contain anything, so parse after the last one.
            fields = file.read(1024).rpartition(b")")[2].split()
    except OSError:
        return _GONE
    return fields if len(fields) > 45 else _GONE


def count_tasks() -> int:
    """Returns the number of this user's processes and threads that /proc shows; 0 if the system does not report it."""
    user, found = os.getuid(), 0
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208
        if name.isdecimal():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116
                    found += len(os.listdir(f"/proc/{name}/task"))  # noqa: PTH208
    return found


def kill_group(group: int) -> bool:
    """Sends SIGKILL to a process group and reaps ended members; returns whether the group is gone.

    The kernel delivers a group's signal to every member before any of them can fork again, so one call is enough. The
    members take a moment to disappear. A group with ended members that nobody has waited for is not gone.
    """
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def wait_for_group(group: int, seconds: float) -> bool:
    """Kills a process group and waits until it is gone; returns False if it still exists after `seconds`.

    This process must be the parent of the group's orphans (`become_subreaper`).
    """
    until = time.monotonic() + seconds
    while not kill_group(group):
        if time.monotonic() > until:
            return False
        reap_group(group)
        time.sleep(0.001)
    return True


def reap_group(group: int) -> None:
    """Reaps ended members of a process group that are children of this process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            continue


def reap_orphans(kept: Iterable[int]) -> None:
    """Reaps ended children of this process, except those that other code waits for.

    Args:
        kept: the ids of these.
    """
    waited_for = frozenset(kept)
    with contextlib.suppress(ChildProcessError):
        # WNOWAIT first: the exit code of a kept process must not be lost.
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in waited_for:
                return
            os.waitpid(found.si_pid, 0)


def reap() -> dict[int, int]:
    """Reaps ended children, including adopted ones; returns their exit codes by id, negative for signals."""
    found: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            found[pid] = os.waitstatus_to_exitcode(status)
    return found


def send_signal(pid: int, number: int) -> None:
    """Sends a signal; does nothing if the process is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
