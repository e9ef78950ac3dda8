"""What the system knows of processes: who descends from whom, what memory they hold, and how to end a whole tree.

Standard library only: the keeper runs this under the portal's interpreter, the host under an environment's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_IS_LINUX: Final = sys.platform == "linux"
_KILL_ROUNDS: Final = 100
_PAGE: Final = os.sysconf("SC_PAGESIZE")
_libc = ctypes.CDLL(None) if _IS_LINUX else None


def become_subreaper() -> None:
    """Makes this process the new parent of its descendants' orphans, daemons in sessions of their own too."""
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


def descendants(root: int) -> list[int]:
    """Returns the ids of all processes below `root`, which is not among them; zombies are left out."""
    children = _children_by_parent()
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def children(parent: int) -> list[int]:
    """Returns the ids of the living children of `parent`."""
    return _children_by_parent().get(parent, [])


def _children_by_parent() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208  (names only, and often)
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
                    # The command's name stands in parentheses and may hold anything, so read behind the last one.
                    state, parent, _ = file.read(512).rpartition(b")")[2].split(None, 2)
            except (OSError, ValueError):
                continue  # it ended meanwhile
            if state not in b"ZX":
                found.setdefault(int(parent), []).append(int(name))
    return found


def parent_of(pid: int) -> int:
    """Returns the id of a process's parent; 0 where it is unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(512).rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def is_below(pid: int, root: int) -> bool:
    """Whether `root` is an ancestor of `pid`."""
    while pid > 1:
        pid = parent_of(pid)
        if pid == root:
            return True
    return False


def peer_of(connected: socket.socket) -> int | None:
    """Returns the process at the other end of a Unix socket; None where the system does not tell."""
    if not _IS_LINUX:
        return None
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


def is_called_from_below(connected: socket.socket) -> bool:
    """Whether the other end of a Unix socket is a descendant of this process."""
    peer = peer_of(connected)
    if not peer:
        return False  # the system does not tell, or the caller is outside of this process namespace
    # One that has ended meanwhile cannot be told any more from a descendant.
    return parent_of(peer) == 0 or is_below(peer, os.getpid())


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


def kill_tree(root: int) -> None:
    """Ends a process and everything below it, and waits until nothing of it runs.

    Stopped first, so that none can fork away while the others are killed; again until nothing is left.
    """
    send_signal(root, signal.SIGSTOP)
    for _ in range(_KILL_ROUNDS):
        pids = descendants(root)
        if not pids:
            break
        kill_all(pids)
        time.sleep(0.002)
    send_signal(root, signal.SIGKILL)
    time.sleep(0.001)


def kill_all(pids: Iterable[int]) -> None:
    """Stops all of the processes, then kills them."""
    chosen = list(pids)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in chosen:
            send_signal(pid, number)


def kill_descendants() -> None:
    """Ends everything below this process, which should be a subreaper, and reaps it."""
    for _ in range(_KILL_ROUNDS):
        kill_all(descendants(os.getpid()))
        reap()
        if not descendants(os.getpid()):
            return
        time.sleep(0.005)


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
