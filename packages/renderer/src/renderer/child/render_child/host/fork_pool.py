"""The host's children: forked ahead of need, given a render, watched, ended with everything they started."""

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
        containment: forks children in such a way that all they start can be ended.
        run_child: run in each forked child with its socket and the descriptors of its results; never returns.
        idle: how many wait ahead of need.

    Attributes:
        renders: the children at work, by process id.
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
        """Descriptors that become readable when a process of a child that was ended has exited."""
        return [descriptor for child in self._ending for descriptor in child.exit_fds.values()]

    @property
    def is_ending(self) -> bool:
        """Whether processes of a render that was ended are not gone yet."""
        return bool(self._ending)

    @property
    def needs_user_limit(self) -> bool:
        """Whether the number of a render's processes is limited by the user's total only; root has no such limit."""
        return self._containment.hierarchy is None and os.getuid() != 0

    @property
    def refill_in_s(self) -> float | None:
        """In how many seconds another idle child is to be forked; None where enough are there."""
        if len(self._idle) >= self._wanted:
            return None
        return max(0.0, self._next_fork - time.monotonic())

    def refill(self, to_close: Iterable[socket.socket]) -> None:
        """Forks an idle child where one is missing; one a turn, so that nobody waits for several forks.

        Args:
            to_close: the host's own sockets, which no child may have.
        """
        if self.refill_in_s == 0:
            try:
                self._idle.append(self._fork(to_close))
            except OSError as error:
                log(f"no child: {error}")
                self._next_fork = time.monotonic() + _FORK_PAUSE_S

    def take(self, to_close: Iterable[socket.socket]) -> Child:
        """Returns a child to be given a render; it counts as one from here.

        Raises:
            OSError: none waits, and the system lets none be forked.
        """
        child = self._idle.popleft() if self._idle else self._fork(to_close)
        # A fork now could keep this child from the processor that it was woken on.
        self._delay_fork()
        self.renders[child.pid] = child
        return child

    def dismiss(self) -> None:
        """Ends the idle children, and wants no more."""
        self._wanted = 0
        while self._idle:
            self._end(self._idle.pop())

    def find(self, descriptor: int) -> Child | None:
        """Returns the render whose socket it is. An idle child that has ended is let go."""
        for child in self.renders.values():
            if child.control.fileno() == descriptor:
                return child
        for child in list(self._idle):
            if child.control.fileno() == descriptor:
                self._idle.remove(child)
                self._end(child)
                # It died before it had anything to do, and so may the next one.
                self._next_fork = time.monotonic() + _FORK_PAUSE_S
        return None

    def end(self, child: Child) -> None:
        """Ends a render's processes, all of them; `take_ended` returns it once none is left."""
        child.measure()
        del self.renders[child.pid]
        self._end(child)
        # Nor is its worker to wait for a fork before it hears that nothing is left.
        self._delay_fork()

    def take_ended(self) -> list[Child]:
        """Returns the children that were ended and of which no process is left; each once."""
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
        """Ends every child, idle or not, and waits until none is left."""
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
            # What a render left to the host as an orphan is nobody's exit code.
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
        """Returns what the host has open of other children; they are nothing to the one that is being forked."""
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
    """Whether another render may start: bounded by slots and by the machine's memory; the only one always may."""
    if not renders:
        return True
    return len(renders) < slots and memory.available_bytes() > _LEAST_FREE_BYTES
