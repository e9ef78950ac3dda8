"""Measures renders in a separate process, so that the host never waits for a lock that a render holds.

Reading the mappings of a process takes a lock of that process, and listing its folder takes one of the folder. A render
that has to wait for the processor may hold such a lock for seconds and would delay all other renders. Standard library
only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, NoReturn

from . import disk, memory, processes

# Large enough for the ids of all processes that a render can have.
_MOST_BYTES: Final = 128 * 1024
_LAST_DESCRIPTOR: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The resources that a render uses.

    Attributes:
        leader: the process whose group was measured.
        request: the number that `Meter.ask` returned.
        memory_bytes: proportional sizes, page tables, shared memory.
        files, disk_bytes: files and folders in its folder, and their bytes including those of unnamed files.
        cost_s: the processor time that the measurement took.
    """

    leader: int
    request: int
    memory_bytes: int
    files: int
    disk_bytes: int
    cost_s: float


class Meter:
    """The host's end of the measuring process.

    Attributes:
        socket: becomes readable when there is a measurement, and when the process has ended.
        pid: the measuring process.
        lost: requests up to this number are never answered.
    """

    def __init__(self) -> None:
        self.lost = self._requests = 0
        self.pid, self.socket = _start()

    def ask(self, leader: int, pids: Iterable[int], directory: str, *, most_files: int) -> int:
        """Requests a measurement, which `read` returns once it is done.

        Returns:
            The number of the request; 0 if it could not be sent.
        """
        self._requests += 1
        request = {"request": self._requests, "leader": leader, "pids": [*pids]}
        is_sent = self._send({**request, "directory": directory, "most_files": most_files})
        return self._requests if is_sent else 0

    def forget(self, leader: int) -> None:
        """Discards earlier measurements of a render."""
        self._send({"gone": leader})

    def read(self) -> list[Measurement]:
        """Returns the finished measurements. Replaces a measuring process that has ended; its requests are lost."""
        found: list[Measurement] = []
        while True:
            try:
                content = self.socket.recv(_MOST_BYTES)
            except BlockingIOError:
                return found
            except OSError:
                content = b""
            if not content:
                self.socket.close()
                self.lost = self._requests
                self.pid, self.socket = _start()
                return found
            found.append(Measurement(**json.loads(content)))

    def _send(self, message: dict[str, Any]) -> bool:
        try:
            self.socket.send(json.dumps(message).encode())
        except OSError:
            return False
        return True


def _start() -> tuple[int, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            processes.die_with_parent(signal.SIGKILL, parent)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Closes the host's sockets and pipes here: their peers notice the host's end by them.
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, _LAST_DESCRIPTOR)
            _serve(theirs)
        os._exit(1)
    theirs.close()
    ours.settimeout(0)
    return pid, ours


def _serve(requests: socket.socket) -> NoReturn:
    samplers: dict[int, memory.Sampler] = {}
    while content := requests.recv(_MOST_BYTES):
        message = json.loads(content)
        if "gone" in message:
            samplers.pop(message["gone"], None)
            continue
        sampler = samplers.setdefault(message["leader"], memory.Sampler())
        # One thread each, since a render may block its reader.
        threading.Thread(target=_answer, args=(requests, sampler, message), daemon=True).start()
    os._exit(0)


def _answer(requests: socket.socket, sampler: memory.Sampler, message: dict[str, Any]) -> None:
    """Sends a measurement. Ends this process if that fails, so that the host does not wait for it forever."""
    try:
        requests.send(json.dumps(asdict(_measure(sampler, message))).encode())
    except BaseException:  # noqa: BLE001  (whatever it was, the next process is asked again)
        os._exit(1)


def _measure(sampler: memory.Sampler, message: dict[str, Any]) -> Measurement:
    began = time.thread_time()
    pids, directory = message["pids"], message["directory"]
    sampler.sample(pids, directory)
    files, size = disk.usage(directory, most_files=message["most_files"])
    size += disk.unlinked_bytes(pids, directory, sampler.unlinked)
    return Measurement(
        leader=message["leader"],
        request=message["request"],
        memory_bytes=sampler.memory_bytes,
        files=files,
        disk_bytes=size,
        cost_s=time.thread_time() - began,
    )
