"""What the system knows of processes: their memory, the members of a process group, and ended children.

Standard library only: the keeper runs this under the portal's interpreter, the host under an environment's.

A list of processes read from /proc may be incomplete: what starts and ends in between is missing. It serves to measure.
Nothing that ends processes depends on it; that is the kernel's work (termination.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_IS_LINUX: Final = sys.platform == "linux"
_PAGE: Final = os.sysconf("SC_PAGESIZE")
_libc = ctypes.CDLL(None) if _IS_LINUX else None


def become_subreaper() -> None:
    """Makes this process the new parent of its descendants' orphans, daemons too."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int, parent: int) -> None:
    """Has the kernel send signal `number` to this process when its parent ends; exits if that happened already.

    Args:
        parent: the parent's id as it was before the fork.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def members(group: int) -> list[int]:
    """Returns the ids of the processes of a process group that /proc shows; zombies are left out."""
    found = []
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208  (names only, and often)
        if name.isdecimal():
            state, _, member_of = _stat(name)
            if member_of == group and state not in b"ZX":
                found.append(int(name))
    return found


def descendants(root: int) -> list[int]:
    """Returns the ids of the processes below `root` that /proc shows, without `root` and without zombies."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208
        if name.isdecimal():
            state, parent, _ = _stat(name)
            if state not in b"ZX":
                children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _stat(name: str) -> tuple[bytes, int, int]:
    """Returns state, parent and process group; (b"X", 0, 0) for a process that ended meanwhile."""
    try:
        with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            # The command's name stands in parentheses and may hold anything, so read behind the last one.
            state, parent, group, _ = file.read(512).rpartition(b")")[2].split(None, 3)
            return state, int(parent), int(group)
    except (OSError, ValueError):
        return b"X", 0, 0


def count_tasks() -> int:
    """Returns how many processes and threads of this user /proc shows; 0 where the system does not tell."""
    user, found = os.getuid(), 0
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208
        if name.isdecimal():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116
                    found += len(os.listdir(f"/proc/{name}/task"))  # noqa: PTH208
    return found


def available_bytes() -> int:
    """Returns the memory that new work can have; a lot where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 2**62


def resident_bytes(pid: int) -> int:
    """Returns the memory a process has in use, shared pages counted whole: quick, and never too little."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(128).split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Returns the memory a process has in use, each shared page divided by its users (PSS); costs milliseconds."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:  # noqa: PTH123
            for line in file.read(4096).splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # it ended meanwhile
    return 0


def kill_group(group: int) -> bool:
    """Sends SIGKILL to a process group, and takes what ended; returns whether the group is gone.

    The kernel delivers a group's signal to every member before any of them can fork again, so one call is enough; the
    members then take a moment to be gone. A group with ended members that nobody has waited for is not gone.
    """
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def wait_for_group(group: int, seconds: float) -> bool:
    """Ends a process group and waits until it is gone; returns False where it is not, after so many seconds.

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
    """Takes the ended members of a process group that are children of this process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            continue


def reap_orphans(kept: Iterable[int]) -> None:
    """Takes ended children of this process, except those that somebody else waits for.

    Args:
        kept: the ids of these.
    """
    waited_for = frozenset(kept)
    with contextlib.suppress(ChildProcessError):
        # Looked at before it is taken, since the exit code of one of the others must not be lost.
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in waited_for:
                return
            os.waitpid(found.si_pid, 0)


def reap() -> dict[int, int]:
    """Takes the exit codes of ended children, adopted ones too; negative ones are signals."""
    found: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            found[pid] = os.waitstatus_to_exitcode(status)
    return found


def send_signal(pid: int, number: int) -> None:
    """Sends a signal; to a process that is gone, none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
