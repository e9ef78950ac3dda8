"""One render, seen from the trusted side: prepare a directory, hand it to the host, wait, read back capped files."""

from __future__ import annotations

import errno
import itertools
import json
import os
import select
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from renderer import environments, results
from renderer.child.render_child.cells.handover import RESULTS
from renderer.child.render_child.host import processes
from renderer.entities import FailureReason, Progress, RenderOutcome
from renderer.exit_status import ExitStatus
from renderer.host_spec import HostLostError, HostStuckError
from renderer.hosts import RenderHost
from renderer.progress import Watcher
from renderer.spec import RenderJob

_REPORT_S: Final = 0.25
# The host ends a render at its deadline by itself; this is for a host that is stuck, or has to start first.
GRACE_S: Final = 30.0
_GROUP_GONE_S: Final = 10.0
_TRIES: Final = 3
_MAX_EXIT_STATUS: Final = 64 * 1024


def render(
    job: RenderJob,
    *,
    host: RenderHost,
    directory: Path,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> RenderOutcome:
    """Renders in a fresh child of the host and waits for the end.

    Args:
        directory: an existing, empty directory of this render; everything it makes stays below it.
        on_progress: called a few times a second from this thread; an exception from it ends the render and is raised.
        is_cancelled: asked as often; true ends the render with state cancelled.

    Returns:
        The outcome; failures of the code are outcomes, not exceptions. Its results cannot change any more. Its
        processes have been ended, and `RenderOutcome.wait_for_end` returns when the last of them is gone.

    Raises:
        HostStartError: the host does not start, or not in time.
        HostLostError: the host ended before the render did.
        OSError: this process cannot receive the results, such as for want of file descriptors.
    """
    if not host.spec.interpreter.exists():
        message = "The environment of this type is not built here. An admin can build it: manage.py environments build."
        return RenderOutcome(state="failed", reason=FailureReason.ENVIRONMENT_MISSING, message=message)
    started = time.monotonic()
    _prepare(job, host.spec.interpreter, directory)
    request = json.dumps(_request(job, directory)).encode() + b"\n"
    for is_last in (*[False] * _TRIES, True):
        start_timeout_s = 0.0 if host.read_status() else host.spec.start_timeout_s
        wait = Wait(host.connect(), job, directory, start_timeout_s, on_progress, is_cancelled)
        exit_status = _ask(host, wait, request, is_last=is_last)
        if exit_status is not None:
            break
    assert exit_status is not None  # noqa: S101  (the last turn raises)
    return results.read_outcome(directory, job, exit_status, total_s=time.monotonic() - started, wait_for_end=wait.end)


def _ask(host: RenderHost, wait: Wait, request: bytes, *, is_last: bool) -> ExitStatus | None:
    """Returns the exit status that the host sends; None where it ended before it took the request.

    Args:
        is_last: the request is not sent again.

    Raises:
        HostStartError: the host does not start, or not in time.
        HostLostError: the host ended before the render did.
    """
    try:
        wait.send(request)
        return wait.exit_status()
    except HostStuckError:
        wait.close()
        host.end()
        raise
    except HostLostError:
        wait.close()
        wait.end_group()
        # A host that ends when nobody needs it may end just now; a render that it did not take has not begun.
        if wait.is_taken or is_last:
            raise
        if failure := host.failure():
            raise failure from None
        return None
    except BaseException:
        wait.close()
        raise


def _prepare(job: RenderJob, interpreter: Path, directory: Path) -> None:
    for name in ("home", "work", "tmp"):
        (directory / name).mkdir(mode=0o700)
    # matplotlib takes no cache directory that it cannot write to, and the environment's own is not to be written.
    cache = environments.matplotlib_cache_dir(interpreter)
    if cache.is_dir():
        shutil.copytree(cache, directory / "home" / "matplotlib", copy_function=shutil.copyfile)
    inputs = {"source": job.source, "source_uri": job.spec.source_uri, "variables": dict(job.spec.arguments)}
    # Metadata that is the source lies in a file already.
    spec = {each.name: getattr(job.spec, each.name) for each in fields(job.spec) if each.name != "source_metadata"}
    told = {"spec": spec, "title": job.title, "max_output_bytes": 2 * job.limits.max_html_bytes}
    (directory / "inputs.json").write_text(json.dumps(inputs, allow_nan=False), encoding="utf-8")
    (directory / "job.json").write_text(json.dumps(told, allow_nan=False), encoding="utf-8")


def _request(job: RenderJob, directory: Path) -> dict[str, Any]:
    home, limits = directory / "home", job.limits
    return {
        "directory": str(directory),
        "read_only": [*_readable(job.source), *([str(job.packages)] if job.packages else [])],
        "packages": str(job.packages) if job.packages else "",
        "kernel": job.spec.kernel,
        "needs_sandbox": job.needs_sandbox,
        "timeout_s": job.spec.timeout_s,
        "max_memory_bytes": limits.max_memory_bytes,
        "max_processes": limits.max_processes,
        "max_files": limits.max_files,
        "max_disk_bytes": limits.max_disk_bytes,
        "max_file_bytes": max(2 * limits.max_html_bytes, 256 * 1024**2),
        "environ": {
            "HOME": str(home),
            "TMPDIR": str(directory / "tmp"),
            "IPYTHONDIR": str(home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
            "JUPYTER_DATA_DIR": str(home / "jupyter-data"),
            "JUPYTER_RUNTIME_DIR": str(directory / "tmp"),
            # For kernels of their own; a process of the host is told by its path.
            "PYTHONPATH": str(job.packages) if job.packages else "",
            "MPLCONFIGDIR": str(home / "matplotlib"),
        },
    }


def _readable(source: str) -> list[str]:
    """Returns what the code may read beside its own directory: the source, or the folder a glob looks into."""
    if not source.startswith("/"):
        return []
    parts = itertools.takewhile(lambda part: not set("*?[") & set(part), Path(source).parts)
    path = Path(source) if Path(source).exists() else Path(*parts)
    return [str(path)] if path.exists() and path != Path("/") else []


class Wait:
    """Waiting for an exit status, with a look around now and then.

    Attributes:
        is_taken: the host has said that it has the request.
        group: the process group of the render; 0 before it runs, and where it has a namespace around it.
    """

    def __init__(
        self,
        connected: socket.socket,
        job: RenderJob,
        directory: Path,
        start_timeout_s: float,
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._connected, self._job, self._start_timeout_s = connected, job, start_timeout_s
        self._watcher = Watcher(directory)
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._started = time.monotonic()
        self._has_cancelled = self._is_gone = self._is_cut = False
        self._buffer = b""
        self._messages: deque[dict[str, Any]] = deque()
        self._descriptors: list[int] = []
        self.is_taken = False
        self.group = 0

    def send(self, request: bytes) -> None:
        """Sends the request.

        Raises:
            HostLostError: the host is gone.
        """
        try:
            self._connected.sendall(request)
        except OSError as error:
            raise HostLostError("The render host is gone.") from error

    def exit_status(self) -> ExitStatus:
        """Returns the exit status that the host sends.

        It comes at once where the results are sealed, else when no process of the render is left.

        Raises:
            HostLostError: there will be none.
            OSError: the results came, and this process has no file descriptors left for them.
        """
        found = self._next("exit_status")
        if self._is_cut:
            for descriptor in self._descriptors:
                os.close(descriptor)
            self.end()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        given = ExitStatus(found, self._descriptors)
        if not given.is_sealed:
            given.message |= self._next("gone")
            self._is_gone = True
            self.close()
        return given

    def end(self) -> None:
        """Waits until no process of the render is left. Safe to call again.

        Raises:
            HostLostError: the host was killed before it could say so, and the processes could not be ended from here.
        """
        if self._is_gone:
            return
        try:
            self._next("gone")
        except HostStuckError:
            raise
        except HostLostError:
            self.end_group()
        self._is_gone = True
        self._connected.close()

    def _next(self, key: str) -> dict[str, Any]:
        """Returns the next message that has a key, and looks around while it waits."""
        poller = select.poll()
        poller.register(self._connected, select.POLLIN)
        while True:
            while self._messages:
                message = self._messages.popleft()
                if not self.is_taken:
                    self.is_taken, self._started = True, time.monotonic()
                self.group = message.get("group", self.group)
                if key in message:
                    return message
            if poller.poll(_REPORT_S * 1000):
                self._receive()
            else:
                self._look()

    def _receive(self) -> None:
        try:
            received, descriptors, flags, _ = socket.recv_fds(self._connected, 65536, len(RESULTS))
        except OSError:
            received, descriptors, flags = b"", [], 0
        self._descriptors += descriptors
        # The kernel keeps descriptors back that this process has no numbers for, and says so by this flag alone.
        self._is_cut |= bool(flags & socket.MSG_CTRUNC)
        self._buffer += received
        if not received or len(self._buffer) > _MAX_EXIT_STATUS:
            raise HostLostError("The render host ended while this was rendering.")
        *lines, self._buffer = self._buffer.split(b"\n")
        self._messages += map(json.loads, lines)

    def close(self) -> None:
        """Closes the connection, which ends the render where it still runs."""
        self._connected.close()

    def end_group(self) -> None:
        """Ends the render's processes where host and supervisor were both killed."""
        if self.group and not processes.wait_for_group(self.group, _GROUP_GONE_S):
            raise HostStuckError("Processes of the render could not be ended.")

    def _look(self) -> None:
        elapsed_s = time.monotonic() - self._started
        self._on_progress(self._watcher.read(elapsed_s))
        if self._is_cancelled() and not self._has_cancelled:
            self._has_cancelled = True
            with suppress(OSError):
                self._connected.sendall(b'{"cancel": true}\n')
        # Waiting in the host for a free slot is not the host's being stuck: it has its own limits for that.
        limit_s = self._job.spec.timeout_s + self._job.limits.patience_s + GRACE_S
        if elapsed_s > limit_s + (0 if self.is_taken else self._start_timeout_s):
            raise HostStuckError("The render host did not answer in time.")
