"""The host's children: forked ahead of need, given a render, watched, ended with everything they started."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from . import processes
from .supervision import Child

_FORK_DELAY_S: Final = 0.01
_FORK_PAUSE_S: Final = 0.5
_SWEEP_ROUNDS: Final = 100
_LEAST_FREE_BYTES: Final = 256 * 1024**2


class Brood:
    """All children of this process.

    Args:
        run_child: run in each forked child with its socket; never returns.
        spares: how many wait ahead of need.

    Attributes:
        renders: the children at work, by process id.
    """

    def __init__(self, run_child: Callable[[socket.socket], NoReturn], spares: int) -> None:
        self.renders: dict[int, Child] = {}
        self._run_child, self._wanted = run_child, spares
        self._spares: deque[Child] = deque()
        self._dying: set[int] = set()
        self._exit_codes: dict[int, int] = {}
        self._next_fork = 0.0

    @property
    def controls(self) -> list[socket.socket]:
        """The host's ends of all children's sockets."""
        return [child.control for child in (*self._spares, *self.renders.values())]

    @property
    def refill_in_s(self) -> float | None:
        """In how many seconds another spare is to be forked; None where enough are there."""
        if len(self._spares) >= self._wanted:
            return None
        return max(0.0, self._next_fork - time.monotonic())

    def refill(self, to_close: Iterable[socket.socket]) -> None:
        """Forks a spare where one is missing; one a turn, so that nobody waits for several forks.

        Args:
            to_close: the host's own sockets, which no child may have.
        """
        if self.refill_in_s == 0:
            self._spares.append(self._fork(to_close))

    def take(self, to_close: Iterable[socket.socket]) -> Child:
        """Returns a child to be given a render; it counts as one from here."""
        child = self._spares.popleft() if self._spares else self._fork(to_close)
        # A fork now could keep this child from the processor that it was woken on.
        self._next_fork = max(self._next_fork, time.monotonic() + _FORK_DELAY_S)
        self.renders[child.pid] = child
        return child

    def dismiss(self) -> None:
        """Ends the spares, and wants no more."""
        self._wanted = 0
        while self._spares:
            self._let_go(self._spares.pop())

    def find(self, descriptor: int) -> Child | None:
        """Returns the render whose socket it is. A spare that has ended is let go."""
        for child in self.renders.values():
            if child.control.fileno() == descriptor:
                return child
        for child in list(self._spares):
            if child.control.fileno() == descriptor:
                self._spares.remove(child)
                self._let_go(child)
                # It died before it had anything to do, and so may the next one.
                self._next_fork = time.monotonic() + _FORK_PAUSE_S
        return None

    def finish(self, child: Child, *, is_done: bool) -> int | None:
        """Ends a render's processes, all of them.

        Args:
            is_done: the child said so, and only waits to be ended.

        Returns:
            Its exit code where it ended in another way; None where it was done.
        """
        child.measure()
        below = processes.descendants(child.pid)
        if below or not is_done:
            processes.kill_tree(child.pid)
        else:
            processes.send_signal(child.pid, signal.SIGKILL)
        del self.renders[child.pid]
        self._dying.add(child.pid)
        code = None
        if not is_done:
            code = self._exit_code(child.pid)
            self.sweep()
        child.control.close()
        return code

    def sweep(self) -> None:
        """Ends what renders left behind: a child of this process that it did not fork has lost its own parent."""
        known = {child.pid for child in (*self._spares, *self.renders.values())} | self._dying
        for _ in range(_SWEEP_ROUNDS):
            strays = [pid for pid in processes.children(os.getpid()) if pid not in known]
            if not strays:
                return
            for pid in strays:
                processes.kill_tree(pid)
            self.reap()

    def reap(self) -> None:
        """Takes the exit codes of what has ended."""
        for pid, code in processes.reap().items():
            if pid in self.renders:
                self._exit_codes[pid] = code
            self._dying.discard(pid)

    def _fork(self, to_close: Iterable[socket.socket]) -> Child:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            try:
                for each in (*to_close, ours, *self.controls):
                    each.close()
                self._run_child(theirs)
            except BaseException:  # noqa: BLE001  (the edge of the process: its words go to the render's log)
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(1)
        theirs.close()
        return Child(pid=pid, control=ours)

    def _exit_code(self, pid: int) -> int | None:
        if pid in self._exit_codes:
            return self._exit_codes.pop(pid)
        try:
            _, status = os.waitpid(pid, 0)
        except ChildProcessError:
            return None
        self._dying.discard(pid)
        return os.waitstatus_to_exitcode(status)

    def _let_go(self, child: Child) -> None:
        child.control.close()
        self._dying.add(child.pid)
        processes.send_signal(child.pid, signal.SIGKILL)


def has_room(renders: dict[int, Any], slots: int) -> bool:
    """Whether another render may start: bounded by slots and by the machine's memory; the only one always may."""
    if not renders:
        return True
    return len(renders) < slots and processes.available_bytes() > _LEAST_FREE_BYTES
