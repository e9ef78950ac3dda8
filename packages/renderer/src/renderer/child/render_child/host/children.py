"""The host's records of a connection and of a child, and the decision when a child has to end."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from . import memory, priority
from .containment import Processes
from .meter import Measurement, Meter
from .processes import Member, count_tasks, members

# Maximum number of processes of a render, unless its order sets another.
RENDER_PROCESSES: Final = 128
_MAX_LINE: Final = 1024**2
_LOOK_EVERY_S: Final = 0.1
# The pause between two measurements, as a multiple of the processor time that the last one took.
_COST_FACTOR: Final = 20
# A render that takes longer gives way to newer ones.
_LONG_S: Final = 3.0
_FIRST_SAMPLE_S: Final = 0.3
_SAMPLE_EVERY_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Connection:
    """A worker's connection: it carries one order and its outcome, or only keeps the host running.

    Attributes:
        child: the child that renders the order, once it has begun.
        is_known: the worker has presented the key.
    """

    socket: socket.socket
    order: dict[str, Any] | None = None
    asked_at: float = 0.0
    child: Child | None = None
    is_closed: bool = False
    is_known: bool = False
    opened_at: float = field(default_factory=time.monotonic)
    _buffer: bytes = b""

    def __post_init__(self) -> None:
        self.socket.settimeout(0)

    def read(self) -> list[dict[str, Any]]:
        """Returns the messages received; sets `is_closed` at the end of the stream and for an invalid message."""
        try:
            received = self.socket.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            received = b""
        self._buffer += received
        self.is_closed = not received or len(self._buffer) > _MAX_LINE
        *lines, self._buffer = self._buffer.split(b"\n")
        try:
            return [message for message in map(json.loads, lines) if isinstance(message, dict)]
        except ValueError:
            self.is_closed = True
            return []

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Sends a message, optionally with descriptors. Does nothing if the worker is gone."""
        content = json.dumps(message).encode() + b"\n"
        try:
            if descriptors:
                content = content[socket.send_fds(self.socket, [content], descriptors) :]
            self.socket.sendall(content)
        except OSError:
            self.is_closed = True


@dataclass(slots=True, eq=False)
class Child:
    """A forked process: idle at first, then a render.

    Attributes:
        processes: the process and everything that it starts.
        control: the child's socket. It sends "done" or "refused" (child_main.py); end of file means that it ended.
            Untrusted code can send these too, but any word only ends its own render.
        results: descriptors of the files that it hands over (cells/handover.py).
        exit_status: why it was ended; "" before.
        exit_code: its exit code, negative for a signal; None before that, or if the host ended it.
        exit_fds: by process id, for the processes that the host waits for: readable once that process has exited.
        peak_bytes: the peak memory measured for its processes (PSS); for a short render the memory it added itself.
    """

    processes: Processes
    control: socket.socket
    results: tuple[int, ...] = ()
    connection: Connection | None = None
    order: dict[str, Any] = field(default_factory=dict)
    waited_s: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    exit_status: str = ""
    is_done: bool = False
    exit_code: int | None = None
    exit_fds: dict[int, int] = field(default_factory=dict)
    peak_bytes: int = 0
    _next_look: float = 0.0
    _next_sample: float = 0.0
    _next_memory: float = 0.0
    _request: int = 0
    _is_long: bool = False
    _resident_at_start: int = 0

    @property
    def pid(self) -> int:
        """The id of the forked process and of its process group."""
        return self.processes.leader

    def begin(self, connection: Connection, order: dict[str, Any], *, waited_s: float) -> None:
        """Records the order and sets its limits.

        Raises:
            OSError: the system refused a limit.
        """
        self.connection, self.order, self.waited_s = connection, order, waited_s
        connection.child = self
        self.began = time.monotonic()
        self._next_look = self.began + _LOOK_EVERY_S
        self._next_sample = self.began + _FIRST_SAMPLE_S
        self._resident_at_start = memory.resident_bytes(self.pid)
        if self.processes.group is not None:
            self.processes.group.limit(tasks=most_tasks(order["max_processes"]), memory_bytes=order["max_memory_bytes"])

    def last_word(self) -> bytes:
        """Returns what the child sent at its end; empty if it simply ended."""
        try:
            return self.control.recv(16, socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def check(self, meter: Meter) -> str:
        """Returns why it has to end now; "" if it may continue. Asks the meter for values that have to be measured."""
        now = time.monotonic()
        if now - self.began > self.order["timeout_s"]:
            return "timed_out"
        if not self._is_long and now - self.began > _LONG_S:
            self._give_way()
        if now < self._next_look:
            return ""
        self._next_look = now + _LOOK_EVERY_S
        return self.check_limits() or self._count(now, meter)

    def check_limits(self) -> str:
        """Returns the limit that the kernel has enforced; "" for none."""
        group = self.processes.group
        if group is None:
            return ""
        if group.ran_out_of_memory():
            self.peak_bytes = max(self.peak_bytes, group.peak_bytes())
            return "out_of_memory"
        return "too_many_processes" if group.refused_tasks() else ""

    def _count(self, now: float, meter: Meter) -> str:
        is_due = now > self._next_sample
        group = self.processes.group
        if group is not None and not is_due:
            return ""
        found = members(self.pid)
        if self._are_too_many(found):
            return "too_many_processes"
        limit = self.order["max_memory_bytes"]
        is_much = self.processes.group is None and memory.estimate(found, self.pid, self._resident_at_start) > limit
        is_asked = self._request > meter.lost
        if not is_asked and (is_due or (is_much and now > self._next_memory)):
            most_files = self.order["max_files"]
            self._request = meter.ask(self.pid, found, self.order["directory"], most_files=most_files)
        return ""

    def take_measurement(self, found: Measurement) -> str:
        """Records the meter's result; returns why the render has to end now, "" if it may continue."""
        if found.request != self._request:
            return ""
        now, self._request = time.monotonic(), 0
        self._next_sample = now + _SAMPLE_EVERY_S
        self._next_memory = now + _COST_FACTOR * found.cost_s
        self.peak_bytes = max(self.peak_bytes, self._counted_memory() or found.memory_bytes)
        if self.peak_bytes > self.order["max_memory_bytes"]:
            return "out_of_memory"
        is_full = found.files > self.order["max_files"] or found.disk_bytes > self.order["max_disk_bytes"]
        return "disk_full" if is_full else ""

    def has_too_many_processes(self) -> bool:
        """Whether it exceeds its limit of processes and threads, as counted by the kernel or else in /proc."""
        return self.check_limits() == "too_many_processes" or self._are_too_many(members(self.pid))

    def _are_too_many(self, found: Mapping[int, Member]) -> bool:
        most = self.order["max_processes"]
        return len(found) > most or sum(member.threads for member in found.values()) > most_tasks(most)

    def _counted_memory(self) -> int:
        """Returns the memory as the control group counts it; 0 without a group."""
        return self.processes.group.memory_bytes() if self.processes.group is not None else 0

    def _give_way(self) -> None:
        """Lowers the priority of a render that has run for a while, so that newer ones go first."""
        if self.processes.group is not None:
            self.processes.group.weigh("long")
        self._is_long = priority.lower(self.pid)

    def measure(self) -> None:
        """Records the memory added to the host's: reading the proportional size takes longer than a short render."""
        self.peak_bytes = max(self.peak_bytes, memory.resident_bytes(self.pid) - self._resident_at_start)

    def watch_exits(self) -> None:
        """Opens `exit_fds`."""
        self.ended = time.monotonic()
        for pid in self.processes.waited_for:
            with contextlib.suppress(OSError, AttributeError):
                self.exit_fds[pid] = os.pidfd_open(pid)

    def note_exit(self, pid: int) -> None:
        """Closes the descriptor of a process that has exited: it would stay readable and wake the host forever."""
        descriptor = self.exit_fds.pop(pid, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Closes its descriptors."""
        self.control.close()
        for descriptor in (*self.results, *self.exit_fds.values()):
            os.close(descriptor)

    def exit_status_message(self) -> dict[str, Any]:
        """Returns the message to the worker when the render was ended; times in seconds, memory in bytes."""
        return {
            "exit_status": self.exit_status,
            "peak_memory_bytes": self.peak_bytes or None,
            "wait_s": self.waited_s,
            "run_s": self.ended - self.began,
        }

    def gone_message(self) -> dict[str, Any]:
        """Returns the message to the worker when no process of the render is left."""
        return {
            "gone": True,
            "returncode": None if self.is_done else self.exit_code,
            "end_s": time.monotonic() - self.ended,
        }


def user_limit(slots: int) -> int:
    """Returns the limit of this user's tasks, for kernels that count by user: the existing tasks and all renders'."""
    return count_tasks() + slots * most_tasks(RENDER_PROCESSES)


def is_key(key: object, sha256: str) -> bool:
    """Whether a key has the digest."""
    return isinstance(key, str) and hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), sha256)


def most_tasks(max_processes: int) -> int:
    """Returns the maximum of processes and threads of a render; includes room for libraries' threads per processor."""
    return 4 * max_processes + 8 * (os.cpu_count() or 1)
