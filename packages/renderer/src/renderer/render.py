"""One render on the trusted side: prepares a directory, hands it to the host, waits, and reads size-limited files."""

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
# The host ends a render at its deadline. This covers a host that is stuck or has to start first.
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
        directory: an existing, empty directory of this render; everything that the render writes stays below it.
        on_progress: called a few times a second from this thread. An exception from it ends the render and propagates.
        is_cancelled: called equally often; true ends the render with the state cancelled.

    Returns:
        The outcome; failures of the code are outcomes, not exceptions. Its results can no longer change. Its processes
        have been killed, and `RenderOutcome.wait_for_end` returns when the last of them is gone.

    Raises:
        HostStartError: the host does not start, or not in time.
        HostLostError: the host ended before the render did.
        OSError: this process cannot receive the results, for instance because it has no file descriptors left.
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
    """Returns the exit status that the host sends; None if the host ended before it accepted the request.

    Args:
        is_last: the request will not be sent again.

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
        # An idle host may end at this very moment. A render that it did not accept has not begun.
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
    # matplotlib rejects a cache directory that it cannot write to, and renders may not write to the environment's.
    cache = environments.matplotlib_cache_dir(interpreter)
    if cache.is_dir():
        shutil.copytree(cache, directory / "home" / "matplotlib", copy_function=shutil.copyfile)
    inputs = {"source": job.source, "source_uri": job.spec.source_uri, "variables": dict(job.spec.arguments)}
    # Source metadata is already in a file.
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
            # For separate kernel processes. A process of the host gets the folder in its search path.
            "PYTHONPATH": str(job.packages) if job.packages else "",
            "MPLCONFIGDIR": str(home / "matplotlib"),
        },
    }


def _readable(source: str) -> list[str]:
    """Returns what the code may read besides its own directory: the source, or the folder that a glob searches."""
    if not source.startswith("/"):
        return []
    parts = itertools.takewhile(lambda part: not set("*?[") & set(part), Path(source).parts)
    path = Path(source) if Path(source).exists() else Path(*parts)
    return [str(path)] if path.exists() and path != Path("/") else []


class Wait:
    """Waits for an exit status, reporting progress and checking for cancellation meanwhile.

    Attributes:
        is_taken: the host has accepted the request.
        group: the process group of the render; 0 before it runs, and if it runs in a namespace.
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

        It comes at once if the results are sealed, otherwise when no process of the render is left.

        Raises:
            HostLostError: no exit status will come.
            OSError: the results came, but this process has no file descriptors left for them.
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
        """Waits until no process of the render is left. May be called repeatedly.

        Raises:
            HostLostError: the host was killed before it could report that, and this process could not end the
                processes.
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
        """Returns the next message that has a key; calls `_look` while it waits."""
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
        # The kernel drops descriptors for which this process has no free numbers, and reports it by this flag alone.
        self._is_cut |= bool(flags & socket.MSG_CTRUNC)
        self._buffer += received
        if not received or len(self._buffer) > _MAX_EXIT_STATUS:
            raise HostLostError("The render host ended while this was rendering.")
        *lines, self._buffer = self._buffer.split(b"\n")
        self._messages += map(json.loads, lines)

    def close(self) -> None:
        """Closes the connection, which ends a render that still runs."""
        self._connected.close()

    def end_group(self) -> None:
        """Ends the render's processes if host and supervisor were both killed."""
        if self.group and not processes.wait_for_group(self.group, _GROUP_GONE_S):
            raise HostStuckError("Processes of the render could not be ended.")

    def _look(self) -> None:
        elapsed_s = time.monotonic() - self._started
        self._on_progress(self._watcher.read(elapsed_s))
        if self._is_cancelled() and not self._has_cancelled:
            self._has_cancelled = True
            with suppress(OSError):
                self._connected.sendall(b'{"cancel": true}\n')
        # A render that waits in the host for a free slot does not mean a stuck host: the host has its own limit for
        # that.
        limit_s = self._job.spec.timeout_s + self._job.limits.patience_s + GRACE_S
        if elapsed_s > limit_s + (0 if self.is_taken else self._start_timeout_s):
            raise HostStuckError("The render host did not answer in time.")
