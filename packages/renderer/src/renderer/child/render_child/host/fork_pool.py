"""The host's children: forked ahead of need, given a render, monitored, and ended with everything they started."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from ..cells.handover import make_results
from . import memory, processes
from .children import Child
from .containment import Containment
from .log import log

_FORK_DELAY_S: Final = 0.01
_FORK_PAUSE_S: Final = 0.5
_LEAST_FREE_BYTES: Final = 256 * 1024**2


class ForkPool:
    """All children of this process.

    Args:
        containment: forks children that can be ended with everything they start.
        run_child: runs in each forked child with its socket and the descriptors of its results; never returns.
        idle: the number of idle children to keep.

    Attributes:
        renders: the children that are rendering, by process id.
    """

    def __init__(
        self, containment: Containment, run_child: Callable[[socket.socket, tuple[int, ...]], NoReturn], *, idle: int
    ) -> None:
        self.renders: dict[int, Child] = {}
        self._containment, self._run_child, self._wanted = containment, run_child, idle
        self._idle: deque[Child] = deque()
        self._ending: list[Child] = []
        self._exit_codes: dict[int, int] = {}
        self._next_fork = 0.0

    @property
    def controls(self) -> list[socket.socket]:
        """The host's ends of all children's sockets."""
        return [child.control for child in (*self._idle, *self.renders.values())]

    @property
    def exits(self) -> list[int]:
        """Descriptors that become readable when a process of an ended child has exited."""
        return [descriptor for child in self._ending for descriptor in child.exit_fds.values()]

    @property
    def is_ending(self) -> bool:
        """Whether some processes of an ended render still exist."""
        return bool(self._ending)

    @property
    def needs_user_limit(self) -> bool:
        """Whether only the user's total limits the processes of a render; root has no such limit."""
        return self._containment.hierarchy is None and os.getuid() != 0

    @property
    def refill_in_s(self) -> float | None:
        """Seconds until the next idle child is to be forked; None if there are enough."""
        if len(self._idle) >= self._wanted:
            return None
        return max(0.0, self._next_fork - time.monotonic())

    def refill(self, to_close: Iterable[socket.socket]) -> None:
        """Forks one idle child if some are missing; one per call, so that nobody waits for several forks.

        Args:
            to_close: the host's own sockets, which no child may keep.
        """
        if self.refill_in_s == 0:
            try:
                self._idle.append(self._fork(to_close))
            except OSError as error:
                log(f"no child: {error}")
                self._next_fork = time.monotonic() + _FORK_PAUSE_S

    def take(self, to_close: Iterable[socket.socket]) -> Child:
        """Returns a child for a new render and counts it among `renders`.

        Raises:
            OSError: no child is idle, and the system refuses to fork one.
        """
        child = self._idle.popleft() if self._idle else self._fork(to_close)
        # A fork now could take the processor on which this child has just been woken.
        self._delay_fork()
        self.renders[child.pid] = child
        return child

    def dismiss(self) -> None:
        """Ends the idle children and forks no new ones."""
        self._wanted = 0
        while self._idle:
            self._end(self._idle.pop())

    def find(self, descriptor: int) -> Child | None:
        """Returns the render that has this socket. Discards an idle child that has ended."""
        for child in self.renders.values():
            if child.control.fileno() == descriptor:
                return child
        for child in list(self._idle):
            if child.control.fileno() == descriptor:
                self._idle.remove(child)
                self._end(child)
                # It died before it had anything to do, and the next one may too.
                self._next_fork = time.monotonic() + _FORK_PAUSE_S
        return None

    def end(self, child: Child) -> None:
        """Ends all processes of a render; `take_ended` returns it once none is left."""
        child.measure()
        del self.renders[child.pid]
        self._end(child)
        # The worker must not wait for a fork either before it learns that nothing is left.
        self._delay_fork()

    def take_ended(self) -> list[Child]:
        """Returns the ended children of which no process is left; each one once."""
        self._reap()
        gone = [child for child in self._ending if child.processes.are_gone(self._has_exited)]
        for child in gone:
            self._ending.remove(child)
            child.exit_code = self._exit_codes.pop(child.pid, None)
            if child.processes.namespace is not None:
                self._exit_codes.pop(child.processes.namespace.init, None)
            child.close()
        return gone

    def end_all(self) -> None:
        """Ends every child, idle or not, and waits until no process is left."""
        self.dismiss()
        for child in list(self.renders.values()):
            self.end(child)
        while self._ending:
            self.take_ended()
            time.sleep(0.001)

    def _reap(self) -> None:
        known = {child.pid for child in (*self._idle, *self.renders.values())}
        known |= {pid for child in self._ending for pid in child.processes.waited_for}
        for pid, code in processes.reap().items():
            # An exit code of a render's orphan is of no interest.
            if pid in known:
                self._exit_codes[pid] = code
            for child in self._ending:
                child.note_exit(pid)

    def _has_exited(self, pid: int) -> bool:
        return pid in self._exit_codes

    def _fork(self, to_close: Iterable[socket.socket]) -> Child:
        ours, theirs = socket.socketpair()
        results = make_results()

        def run() -> NoReturn:
            try:
                for each in (*to_close, ours, *self.controls):
                    each.close()
                for descriptor in self._others_descriptors():
                    os.close(descriptor)
                self._run_child(theirs, results)
            except BaseException:  # noqa: BLE001  (the edge of the process: its words go to the render's log)
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(1)

        found = self._containment.fork(run)
        theirs.close()
        return Child(processes=found, control=ours, results=results)

    def _others_descriptors(self) -> list[int]:
        """Returns the descriptors that the host holds for other children, which a new child must not keep."""
        children = [*self._idle, *self.renders.values(), *self._ending]
        found = [descriptor for child in children for descriptor in child.results]
        found += [child.processes.lifeline for child in children if child.processes.lifeline is not None]
        return [*found, *self.exits]

    def _delay_fork(self) -> None:
        self._next_fork = max(self._next_fork, time.monotonic() + _FORK_DELAY_S)

    def _end(self, child: Child) -> None:
        child.processes.end()
        child.watch_exits()
        self._ending.append(child)


def has_room(renders: dict[int, Any], slots: int) -> bool:
    """Whether another render may start, limited by slots and by the machine's free memory; the only one always may."""
    if not renders:
        return True
    return len(renders) < slots and memory.available_bytes() > _LEAST_FREE_BYTES
