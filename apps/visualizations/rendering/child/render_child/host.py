"""The render host: one process with an environment's libraries imported, which forks a child for each render.

It takes orders on a Unix socket, one connection an order, in lines of JSON (docs/render-host.md). It is one thread
with one `poll`: no thread, event loop or ZeroMQ context may exist before a fork. It holds no secret, since each
child has a copy of its memory, and runs nobody's code: that happens in children only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from . import processes
from .supervision import Child, Connection, verdict_of

_SWEEP_EVERY_S: Final = 1.0
_CHANGED_EVERY_S: Final = 2.0
_FORK_PAUSE_S: Final = 0.5
_YOUNG_S: Final = 1.0
_SWEEP_ROUNDS: Final = 100
_WATCH_EVERY_S: Final = 0.05
_LEAST_FREE_BYTES: Final = 256 * 1024**2


class Host:
    """The loop.

    Args:
        listener: bound and listening; shared with the host that may follow.
        lifeline: the keeper's end; a line "stop" ends the taking of orders, the end of file ends everything.
        run_child: run in each forked child with its socket; never returns.
        status: what is told to who asks: environment, sandbox mode, gaps.
        has_changed: whether files that this process has imported are others now.
    """

    def __init__(
        self,
        *,
        listener: socket.socket,
        lifeline: socket.socket,
        run_child: Callable[[socket.socket], NoReturn],
        status: dict[str, Any],
        options: dict[str, Any],
        has_changed: Callable[[], bool],
    ) -> None:
        self._listener: socket.socket | None = listener
        self._lifeline = lifeline
        self._run_child = run_child
        self._status, self._options = status, options
        self._has_changed = has_changed
        self._connections: dict[int, Connection] = {}
        self._spares: deque[Child] = deque()
        self._renders: dict[int, Child] = {}
        self._waiting: deque[Connection] = deque()
        self._dying: set[int] = set()
        self._exit_codes: dict[int, int] = {}
        self._started = 0
        self._written = -1
        self._is_retiring = False
        self._next_sweep = self._next_look = self._next_fork = 0.0
        self._idle_since = time.monotonic()

    def serve(self) -> None:
        """Serves until it has nobody to serve, or has retired and finished what it had."""
        while not self._is_over():
            self._refill()
            for descriptor in self._poll():
                self._handle(descriptor)
            self._reap()
            self._watch()
            self._start_waiting()
            self._look_around()
        self.end()

    def end(self) -> None:
        """Ends everything below this process."""
        processes.kill_descendants()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._renders or self._waiting:
            self._idle_since = now
            return False
        if self._listener is None:
            # Who is only present finds the next host; who has just come is about to say what for.
            return all(now - each.opened_at > _YOUNG_S for each in self._connections.values())
        if self._connections:
            self._idle_since = now
        return bool(now - self._idle_since > self._options["idle_s"])

    # --- Children ---------------------------------------------------------------------------------------------

    def _refill(self) -> None:
        """Forks children ahead of need; one a turn, so that nobody waits for several forks."""
        if self._is_short():
            self._spares.append(self._fork())

    def _is_short(self) -> bool:
        is_open = self._listener is not None and time.monotonic() > self._next_fork
        return is_open and len(self._spares) < self._options["spares"]

    def _fork(self) -> Child:
        began = time.monotonic()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            try:
                self._forget(theirs)
                self._run_child(theirs)
            except BaseException:  # noqa: BLE001  (the edge of the process: its words go to the render's log)
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(1)
        theirs.close()
        return Child(pid=pid, control=ours, fork_s=time.monotonic() - began)

    def _forget(self, keep: socket.socket) -> None:
        """In a new child: closes what belongs to the host and to other renders."""
        others = [self._listener, self._lifeline, *(each.socket for each in self._connections.values())]
        others += [child.control for child in (*self._spares, *self._renders.values())]
        for each in others:
            if each is not None and each is not keep:
                each.close()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._renders) < self._options["slots"] and _has_memory(bool(self._renders)):
            connection = self._waiting.popleft()
            self._start(connection)

    def _start(self, connection: Connection) -> None:
        order = connection.order or {}
        child = self._spares.popleft() if self._spares else self._fork()
        child.begin(connection, order, waited_s=time.monotonic() - connection.asked_at)
        self._started += 1
        self._renders[child.pid] = child
        try:
            child.control.sendall(json.dumps(order).encode() + b"\n")
        except OSError:
            self._finish(child, "exited")

    # --- What is ready ----------------------------------------------------------------------------------------

    def _poll(self) -> list[int]:
        poller = select.poll()
        for each in (self._lifeline, *([self._listener] if self._listener else [])):
            poller.register(each, select.POLLIN)
        for descriptor in self._connections:
            poller.register(descriptor, select.POLLIN)
        for child in (*self._spares, *self._renders.values()):
            poller.register(child.control, select.POLLIN)
        pause_s = 0.0 if self._is_short() else _WATCH_EVERY_S if self._renders or self._waiting else _SWEEP_EVERY_S
        return [descriptor for descriptor, _ in poller.poll(pause_s * 1000)]

    def _handle(self, descriptor: int) -> None:
        if self._listener is not None and descriptor == self._listener.fileno():
            self._accept()
        elif descriptor == self._lifeline.fileno():
            self._hear_keeper()
        elif descriptor in self._connections:
            self._hear(self._connections[descriptor])
        else:
            self._hear_child(descriptor)

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101  (the caller looked)
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, OSError):
            return  # another host of the same listener was quicker, or the caller is gone
        if self._is_own(accepted):
            accepted.close()
            return
        self._connections[accepted.fileno()] = Connection(accepted)

    def _is_own(self, accepted: socket.socket) -> bool:
        """Whether a render is calling: no render may order another one, with folders of its choice."""
        peer: int | None = processes.peer_of(accepted)
        if not peer:
            return False  # the system does not tell, or the caller is outside of this process namespace
        # One that has ended meanwhile cannot be told any more from a render's.
        is_gone: bool = processes.parent_of(peer) == 0
        return is_gone or bool(processes.is_below(peer, os.getpid()))

    def _hear_keeper(self) -> None:
        word = self._lifeline.recv(64)
        if not word:
            self.end()
            os._exit(0)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        while self._spares:
            self._let_go(self._spares.pop())

    def _hear(self, connection: Connection) -> None:
        for message in connection.read():
            if "directory" in message:
                self._take(connection, message)
            elif "cancel" in message:
                self._stop_render(connection, "cancelled")
            else:
                connection.send(self._own_status())
        if connection.is_closed:
            self._stop_render(connection, "stopped")
            self._drop(connection)

    def _take(self, connection: Connection, order: dict[str, Any]) -> None:
        if order["needs_sandbox"] and self._status["mode"] == "none":
            connection.send({"verdict": "unconfined", **self._confinement()})
            return
        connection.order, connection.asked_at = order, time.monotonic()
        self._waiting.append(connection)

    def _own_status(self) -> dict[str, Any]:
        return {**self._status, "pid": os.getpid(), "renders": self._started}

    def _write_status(self) -> None:
        """Leaves the status where it can be read without asking."""
        path = Path(self._options["status"])
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(self._own_status()), encoding="utf-8")
        temporary.rename(path)

    def _confinement(self) -> dict[str, Any]:
        return {name: self._status[name] for name in ("mode", "gaps")}

    def _stop_render(self, connection: Connection, verdict: str) -> None:
        if connection.child is not None:
            self._finish(connection.child, verdict)
        elif connection in self._waiting:
            self._waiting.remove(connection)
            connection.send({"verdict": verdict, **self._confinement()})

    def _hear_child(self, descriptor: int) -> None:
        for child in self._renders.values():
            if child.control.fileno() == descriptor:
                self._finish(child, "exited")
                return
        for child in list(self._spares):
            if child.control.fileno() == descriptor:
                self._spares.remove(child)
                self._let_go(child)
                # It died before it had anything to do, and so may the next one.
                self._next_fork = time.monotonic() + _FORK_PAUSE_S

    # --- Ends -------------------------------------------------------------------------------------------------

    def _finish(self, child: Child, verdict: str) -> None:
        """Ends a render's processes, all of them, and tells its end."""
        is_done = verdict == "exited" and child.said_done()
        child.measure()
        below = processes.descendants(child.pid)
        if below or not is_done:
            processes.kill_tree(child.pid)
        else:
            processes.send_signal(child.pid, signal.SIGKILL)
        del self._renders[child.pid]
        self._dying.add(child.pid)
        code = None
        if not is_done:
            code = self._exit_code(child.pid)
            self._sweep()
        if child.connection is not None:
            child.connection.send({**verdict_of(child, verdict, code), **self._confinement()})
            self._drop(child.connection)
        child.control.close()

    def _exit_code(self, pid: int) -> int | None:
        if pid not in self._exit_codes:
            try:
                _, status = os.waitpid(pid, 0)
            except ChildProcessError:
                return None
            self._dying.discard(pid)
            return os.waitstatus_to_exitcode(status)
        return self._exit_codes.pop(pid)

    def _let_go(self, child: Child) -> None:
        child.control.close()
        self._dying.add(child.pid)
        processes.send_signal(child.pid, signal.SIGKILL)

    def _drop(self, connection: Connection) -> None:
        self._connections.pop(connection.socket.fileno(), None)
        if connection in self._waiting:
            self._waiting.remove(connection)
        connection.socket.close()

    def _reap(self) -> None:
        for pid, code in processes.reap().items():
            if pid in self._renders:
                self._exit_codes[pid] = code
            self._dying.discard(pid)

    def _sweep(self) -> None:
        """Ends what renders left behind: a child of this process that it did not fork has lost its own parent."""
        known = {child.pid for child in (*self._spares, *self._renders.values())} | self._dying
        for _ in range(_SWEEP_ROUNDS):
            strays = [pid for pid in processes.children(os.getpid()) if pid not in known]
            if not strays:
                return
            for pid in strays:
                processes.kill_tree(pid)
            self._reap()

    # --- Watching ---------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        for child in list(self._renders.values()):
            verdict = child.check()
            if verdict:
                self._finish(child, verdict)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now > self._next_sweep:
            self._next_sweep = now + _SWEEP_EVERY_S
            self._sweep()
        if now > self._next_look and not self._is_retiring:
            self._next_look = now + _CHANGED_EVERY_S
            if self._written != self._started:
                self._written = self._started
                self._write_status()
            if self._started >= self._options["max_renders"] or self._has_changed():
                # The keeper starts the next host, and says "stop" once that one is ready.
                self._is_retiring = True
                self._lifeline.sendall(b"retire\n")


def _has_memory(is_busy: bool) -> bool:  # noqa: FBT001  (one question)
    """Whether another render may start; the only one always may."""
    if not is_busy:
        return True
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 > _LEAST_FREE_BYTES
    except OSError:
        pass
    return True
