"""The render host: one process with an environment's libraries imported, which forks a child for each render.

It accepts orders on a Unix socket, one per connection, as lines of JSON (docs/render-host.md). It has one thread with
one `poll`: no thread, event loop or ZeroMQ context may exist before a fork. It holds no secret, since each child has a
copy of its memory, and it never runs untrusted code: only children do.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from .children import Child, Connection, is_key, user_limit
from .containment import Containment
from .fork_pool import ForkPool, has_room
from .log import log
from .meter import Meter

_YOUNG_S: Final = 1.0
_IDLE_PAUSE_S: Final = 1.0
_ENDING_PAUSE_S: Final = 0.001
_LOOK_EVERY_S: Final = 2.0
_WATCH_EVERY_S: Final = 0.05


class Host:
    """The main loop of a host.

    Args:
        listener: bound and listening; shared with the host that may follow.
        lifeline: the socket to the supervisor. On a line "stop" the host accepts no more orders; at end of file it ends
            everything.
        containment: forks children that can be ended with everything they start.
        run_child: runs in each forked child with its socket and the descriptors of its results; never returns.
        meter: measures renders.
        status: the status returned to clients: environment, sandbox mode, gaps.
        has_changed: whether files that this process has imported have changed since.
    """

    def __init__(
        self,
        *,
        listener: socket.socket,
        lifeline: socket.socket,
        containment: Containment,
        run_child: Callable[[socket.socket, tuple[int, ...]], NoReturn],
        meter: Meter,
        status: dict[str, Any],
        options: dict[str, Any],
        has_changed: Callable[[], bool],
    ) -> None:
        self._listener: socket.socket | None = listener
        self._lifeline, self._meter = lifeline, meter
        self._status, self._options = status, options
        self._has_changed = has_changed
        # In a namespace of this host's own, its ids mean nothing outside, and the kernel ends everything in it.
        self._has_namespace = bool(options["outer"]) or containment.outer_pid is not None
        self._pool = ForkPool(containment, run_child, idle=options["idle_children"])
        self._connections: dict[int, Connection] = {}
        self._waiting: deque[Connection] = deque()
        self._started = 0
        self._written = -1
        self._is_retiring = False
        self._next_look = 0.0
        self._max_tasks: int | None = None
        self._idle_since = time.monotonic()

    def serve(self) -> None:
        """Serves until no caller is left, or until it has retired and finished its renders."""
        # The warm-up since construction does not count as idle time: callers already wait for the first answer.
        self._idle_since = time.monotonic()
        while not self._is_over():
            self._pool.refill(self._own_sockets())
            for descriptor in self._poll():
                self._handle(descriptor)
            self._watch()
            self._answer_ended()
            self._start_waiting()
            self._look_around()
        self.end()

    def end(self) -> None:
        """Ends everything that this process started, and waits until nothing is left."""
        self._pool.end_all()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._pool.renders or self._waiting or self._pool.is_ending:
            self._idle_since = now
            return False
        if self._listener is None:
            # Connections that only keep the host running will find the next host. New ones are about to send their
            # request.
            return all(now - each.opened_at > _YOUNG_S for each in self._connections.values())
        if self._connections:
            self._idle_since = now
        return bool(now - self._idle_since > self._options["idle_s"])

    def _own_sockets(self) -> list[socket.socket]:
        listening = [self._listener] if self._listener is not None else []
        return [*listening, self._lifeline, self._meter.socket, *(each.socket for each in self._connections.values())]

    def _poll(self) -> list[int]:
        poller = select.poll()
        sockets = [each.fileno() for each in (*self._own_sockets(), *self._pool.controls)]
        for descriptor in (*sockets, *self._pool.exits):
            poller.register(descriptor, select.POLLIN)
        is_busy = self._pool.renders or self._waiting
        pauses = [_WATCH_EVERY_S if is_busy else _IDLE_PAUSE_S, self._pool.refill_in_s]
        if self._pool.is_ending:
            pauses.append(_ENDING_PAUSE_S)
        return [descriptor for descriptor, _ in poller.poll(1000 * min(each for each in pauses if each is not None))]

    def _handle(self, descriptor: int) -> None:
        if self._listener is not None and descriptor == self._listener.fileno():
            self._accept()
        elif descriptor == self._lifeline.fileno():
            self._hear_supervisor()
        elif descriptor == self._meter.socket.fileno():
            self._hear_meter()
        elif descriptor in self._connections:
            self._hear(self._connections[descriptor])
        else:
            child = self._pool.find(descriptor)
            if child is not None:
                self._finish(child, "exited")

    # --- Connections ------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101  (the caller looked)
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return  # another host with the same listener was faster, or the caller is gone
        self._connections[accepted.fileno()] = Connection(accepted)

    def _hear_supervisor(self) -> None:
        if not self._lifeline.recv(64):
            self.end()
            os._exit(0)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._pool.dismiss()

    def _hear(self, connection: Connection) -> None:
        for message in connection.read():
            if not connection.is_known:
                # A render must not order another one with folders of its choice. It knows what is in the host's memory,
                # but a digest does not reveal the key.
                connection.is_known = is_key(message.get("key"), self._options["key_sha256"])
                connection.is_closed |= not connection.is_known
            elif "directory" in message:
                self._take(connection, message)
            elif "cancel" in message:
                self._stop(connection, "cancelled")
            else:
                connection.send(self._own_status())
        if connection.is_closed:
            self._stop(connection, "stopped")
            self._drop(connection)

    def _take(self, connection: Connection, order: dict[str, Any]) -> None:
        if order["needs_sandbox"] and self._status["mode"] == "none":
            self._refuse(connection, "unconfined")
            return
        connection.send({"taken": True})
        connection.order, connection.asked_at = order, time.monotonic()
        self._waiting.append(connection)

    def _stop(self, connection: Connection, exit_status: str) -> None:
        if connection.child is not None:
            if connection.child.pid in self._pool.renders:
                self._finish(connection.child, exit_status)
        elif connection in self._waiting:
            self._waiting.remove(connection)
            self._refuse(connection, exit_status)

    def _refuse(self, connection: Connection, exit_status: str) -> None:
        """Answers a request for which nothing was started."""
        self._answer(connection, {"exit_status": exit_status})
        connection.send({"gone": True})

    def _answer(self, connection: Connection, exit_status: dict[str, Any], results: Sequence[int] = ()) -> None:
        connection.send(
            {**exit_status, **{name: self._status[name] for name in ("mode", "gaps", "termination")}}, results
        )

    def _drop(self, connection: Connection) -> None:
        self._connections.pop(connection.socket.fileno(), None)
        if connection in self._waiting:
            self._waiting.remove(connection)
        connection.socket.close()

    # --- Renders ----------------------------------------------------------------------------------------------

    def _start_waiting(self) -> None:
        while self._waiting and has_room(self._pool.renders, self._options["slots"]):
            try:
                child = self._pool.take(self._own_sockets())
            except OSError as error:
                # Retried in the next iteration. The order keeps waiting, and its worker enforces the limit of that.
                log(f"no child for a render: {error}")
                return
            self._start(self._waiting.popleft(), child)

    def _start(self, connection: Connection, child: Child) -> None:
        order = {**(connection.order or {}), "max_tasks": self._max_tasks}
        self._started += 1
        try:
            child.begin(connection, order, waited_s=time.monotonic() - connection.asked_at)
            if not self._has_namespace:
                self._tell_supervisor(f"+{child.pid}")
                connection.send({"group": child.pid})
            child.control.sendall(json.dumps(order).encode() + b"\n")
        except OSError:
            self._finish(child, "exited")

    def _watch(self) -> None:
        for child in list(self._pool.renders.values()):
            exit_status = child.check(self._meter)
            if exit_status:
                self._finish(child, exit_status)

    def _hear_meter(self) -> None:
        for found in self._meter.read():
            child = self._pool.renders.get(found.leader)
            exit_status = child.take_measurement(found) if child is not None else ""
            if child is not None and exit_status:
                self._finish(child, exit_status)

    def _finish(self, child: Child, exit_status: str) -> None:
        """Ends a render's processes. `_answer_ended` reports that they are gone, once the kernel confirms it."""
        word = child.last_word() if exit_status == "exited" else b""
        child.exit_status, child.is_done = exit_status, word in {b"done", b"refused"}
        limit = child.check_limits() if exit_status == "exited" else ""
        # The kernel may have killed a process for its memory whose part is missing from an apparently complete result.
        if limit and (not child.is_done or limit == "out_of_memory"):
            child.exit_status = limit
        # The code's own error may come before the next check of the limits.
        elif word == b"refused" and child.has_too_many_processes():
            child.exit_status = "too_many_processes"
        self._pool.end(child)
        self._meter.forget(child.pid)
        if child.connection is not None:
            self._answer(child.connection, child.exit_status_message(), child.results)

    def _answer_ended(self) -> None:
        for child in self._pool.take_ended():
            if not self._has_namespace:
                self._tell_supervisor(f"-{child.pid}")
            if child.connection is not None:
                child.connection.send(child.gone_message())
                self._drop(child.connection)

    def _tell_supervisor(self, word: str) -> None:
        """Tells the supervisor which process groups it has to end if this process is killed."""
        with contextlib.suppress(OSError):
            self._lifeline.sendall(word.encode() + b"\n")

    # --- The host itself --------------------------------------------------------------------------------------

    def _own_status(self) -> dict[str, Any]:
        return {**self._status, "renders": self._started}

    def _look_around(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY_S
        self._max_tasks = user_limit(self._options["slots"]) if self._pool.needs_user_limit else None
        if self._written != self._started:
            self._written = self._started
            self._write_status()
        if not self._is_retiring and (self._started >= self._options["max_renders"] or self._has_changed()):
            # The supervisor starts the next host, and sends "stop" once that one is ready.
            self._is_retiring = True
            self._tell_supervisor("retire")

    def _write_status(self) -> None:
        """Writes the status to a file, which can be read without asking the host."""
        path = Path(self._options["status"])
        temporary = path.with_suffix(".part")
        try:
            temporary.write_text(json.dumps(self._own_status()), encoding="utf-8")
            temporary.rename(path)
        except OSError as error:
            # A full disk is no reason to end: renders that fit continue, and the next check writes the status again.
            self._written = -1
            log(f"status not written: {error}")
