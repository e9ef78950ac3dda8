"""What the host knows of one connection and of one child, and when a child has to end."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Final

from . import disk, processes

_MAX_LINE: Final = 1024**2
_TREE_EVERY_S: Final = 0.1
_FIRST_SAMPLE_S: Final = 0.3
_SAMPLE_EVERY_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Connection:
    """A worker's connection: an order and what becomes of it, or a mere presence.

    Attributes:
        child: the render's, once it began.
    """

    socket: socket.socket
    order: dict[str, Any] | None = None
    asked_at: float = 0.0
    child: Child | None = None
    is_closed: bool = False
    opened_at: float = field(default_factory=time.monotonic)
    _buffer: bytes = b""

    def __post_init__(self) -> None:
        self.socket.settimeout(0)

    def read(self) -> list[dict[str, Any]]:
        """Returns the messages that have come; sets `is_closed` at the end, and for what is no message."""
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

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message; to a worker that is gone, nothing."""
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.is_closed = True


@dataclass(slots=True, eq=False)
class Child:
    """A forked process: waiting for work at first, then a render.

    Attributes:
        control: it says "done" there; the end of file says that it ended.
        peak_bytes: the most memory of its tree that was measured (PSS), or for a short render what it added itself.
    """

    pid: int
    control: socket.socket
    connection: Connection | None = None
    order: dict[str, Any] = field(default_factory=dict)
    waited_s: float = 0.0
    began: float = 0.0
    peak_bytes: int = 0
    _next_tree: float = 0.0
    _next_sample: float = 0.0
    _resident_at_start: int = 0

    def begin(self, connection: Connection, order: dict[str, Any], *, waited_s: float) -> None:
        """Notes what it is given."""
        self.connection, self.order, self.waited_s = connection, order, waited_s
        connection.child = self
        self.began = time.monotonic()
        self._next_tree = self.began + _TREE_EVERY_S
        self._next_sample = self.began + _FIRST_SAMPLE_S
        self._resident_at_start = processes.resident_bytes(self.pid)

    def said_done(self) -> bool:
        """Whether the child says that its result is written; False where it just ended."""
        try:
            return self.control.recv(16, socket.MSG_DONTWAIT) == b"done"
        except OSError:
            return False

    def check(self) -> str:
        """Returns why it has to end now; "" where it may go on."""
        now = time.monotonic()
        if now - self.began > self.order["timeout_s"]:
            return "timed_out"
        if now < self._next_tree:
            return ""
        self._next_tree = now + _TREE_EVERY_S
        pids = [self.pid, *processes.descendants(self.pid)]
        if len(pids) > self.order["max_processes"]:
            return "too_many_processes"
        is_due = now > self._next_sample
        if is_due:
            self._next_sample = now + _SAMPLE_EVERY_S
            files, size = disk.usage(self.order["directory"], most_files=self.order["max_files"])
            if files > self.order["max_files"] or size > self.order["max_disk_bytes"]:
                return "disk_full"
        # Resident size is quick to read and never below the proportional one, which is what counts.
        if is_due or sum(map(processes.resident_bytes, pids)) > self.order["max_memory_bytes"]:
            self.peak_bytes = max(self.peak_bytes, sum(map(processes.proportional_bytes, pids)))
            if self.peak_bytes > self.order["max_memory_bytes"]:
                return "out_of_memory"
        return ""

    def measure(self) -> None:
        """Takes the memory it added to the host's; its proportional size takes longer to read than a short render."""
        self.peak_bytes = max(self.peak_bytes, processes.resident_bytes(self.pid) - self._resident_at_start)


def verdict_of(child: Child, verdict: str, returncode: int | None) -> dict[str, Any]:
    """Returns what the worker is told at the end; times in seconds, memory in bytes."""
    return {
        "verdict": verdict,
        "returncode": returncode,
        "peak_memory_bytes": child.peak_bytes or None,
        "wait_s": child.waited_s,
        "run_s": time.monotonic() - child.began,
        "host_pid": os.getpid(),
    }
