"""Reading what a render left: two files, regular, capped, and believed in nothing but their form."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from apps.visualizations.rendering.entities import (
    MAX_LOG_BYTES,
    MAX_TRACEBACK_CHARS,
    Progress,
    RenderOrder,
    RenderOutcome,
)

_MAX_RESULT_BYTES: Final = 256 * 1024
_MAX_NOTEBOOK_BYTES: Final = 256 * 1024**2
_LIVE_LOG_BYTES: Final = 16 * 1024
_MAX_PARTIAL_BYTES: Final = 2 * 1024**2
_REASONS: Final = frozenset({"user_error", "syntax_error", "kernel_died", "kernel_missing", "html_too_big"})
_PHASES: Final = ("sandbox", "cells", "convert")
# Kept: tab and line feed. ESC stays out, it only confuses terminals; PostgreSQL's text has no NUL.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
_VERDICTS: Final = {
    "timed_out": ("timed_out", "timed_out", "Stopped after {timeout_s:g} s, the limit here."),
    "cancelled": ("cancelled", "cancelled", "Cancelled."),
    "stopped": ("failed", "worker_stopped", "The worker was stopped while this was rendering."),
    "out_of_memory": ("failed", "out_of_memory", "It needed more memory than the {memory} allowed here."),
    "disk_full": ("failed", "disk_full", "It wrote more to the disk than is allowed here ({disk}, {files:,} files)."),
    "unconfined": (
        "failed",
        "unconfined",
        "Nothing confines a render on this worker, so it runs no one's own code (docs/threat-model.md).",
    ),
    "too_many_processes": (
        "failed",
        "too_many_processes",
        "It started more processes than are allowed here.",
    ),
}


class BadResultError(Exception):
    """A file is not what a render may leave; the text says why."""


class TooBigError(BadResultError):
    """A file is larger than its limit.

    Attributes:
        size_bytes: its size.
    """

    def __init__(self, name: str, size_bytes: int, limit: int) -> None:
        super().__init__(f"{name} has {size_bytes} bytes, more than {limit}")
        self.size_bytes = size_bytes


def open_result(directory: Path, name: str, limit: int) -> BinaryIO:
    """Opens what a render left; everything that is checked is checked on the descriptor that is returned.

    Args:
        name: of a file right in `directory`.
        limit: the most bytes that it may have.

    Raises:
        FileNotFoundError: there is none.
        TooBigError: it is larger.
        BadResultError: a link, a pipe, a device, or a file with a second name.
    """
    descriptor = _open_beneath(directory, name)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadResultError(f"{name} is not a regular file")
        # A second name may be a file of somebody else's, linked into the directory.
        if status.st_nlink != 1:
            raise BadResultError(f"{name} has {status.st_nlink} names instead of one")
        if status.st_size > limit:
            raise TooBigError(name, status.st_size, limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_beneath(directory: Path, name: str) -> int:
    if "/" in name:
        raise ValueError(f"{name!r} is not the name of a file in a folder")
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadResultError(f"{name} cannot be read: {error.strerror}") from error
    finally:
        os.close(folder)


def read_capped(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is none.
        BadResultError: a link, a pipe, a device, a file with a second name, or larger.
    """
    with open_result(path.parent, path.name, limit) as file:
        return file.read(limit)


class Watcher:
    """Reads what a running render shows of itself, with caps: it was written beside hostile code."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: tuple[int, int] = (0, 0)

    def read(self, elapsed_s: float) -> Progress:
        """Returns how far it is; `page` only where it is another than at the last look."""
        cell, cells = read_progress(self._directory)
        log = read_log(self._directory / "log.txt", _LIVE_LOG_BYTES)
        return Progress(cell=cell, cells=cells, elapsed_s=elapsed_s, log=log, page=self._new_page())

    def _new_page(self) -> bytes | None:
        path = self._directory / "partial.html"
        try:
            status = path.lstat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen == self._seen:
                return None
            page = read_capped(path, _MAX_PARTIAL_BYTES)
        except (OSError, BadResultError):
            return None
        self._seen = seen
        return page


def read_progress(directory: Path) -> tuple[int, int]:
    """Returns (cell, cells), (0, 0) as long as nothing sensible is known."""
    try:
        cell, cells = read_capped(directory / "progress", 64).split()
        return min(max(int(cell), 0), 10_000), min(max(int(cells), 0), 10_000)
    except (FileNotFoundError, BadResultError, ValueError):
        return 0, 0


def read_outcome(directory: Path, order: RenderOrder, verdict: dict[str, Any], *, total_s: float) -> RenderOutcome:
    """Reads how the render in `directory` ended.

    The host's verdict is ours; result.json and result.html were written beside hostile code and are checked.
    """
    found = RenderOutcome(
        state="failed",
        log=_read_log(directory),
        notebook=_open_or_none(directory, "result.ipynb", _MAX_NOTEBOOK_BYTES),
        peak_memory_bytes=verdict.get("peak_memory_bytes") or None,
        sandbox=sandbox_label(verdict.get("mode", "none"), verdict.get("gaps", ())),
        timings={
            "fork": round(verdict.get("wait_s", 0.0), 4),
            "run": round(verdict.get("run_s", 0.0), 4),
            "total": round(total_s, 4),
        },
    )
    if verdict.get("verdict") in _VERDICTS:
        return _stopped(found, directory, verdict["verdict"], order)
    try:
        return _read_result(found, directory, order.max_html_bytes)
    except FileNotFoundError:
        cell, cells = read_progress(directory)
        message = _explain_death(verdict.get("returncode"))
        return replace(found, reason="kernel_died", message=message, cells=cells, cells_done=max(0, cell - 1))
    except BadResultError as error:
        return replace(found, reason="bad_result", message=f"The render left no usable result: {error}.")


def sandbox_label(mode: str, gaps: Sequence[str]) -> str:
    """Returns a sandbox in words, for a receipt."""
    return f"{mode}; open: {', '.join(gaps)}" if gaps else mode


def _stopped(found: RenderOutcome, directory: Path, verdict: str, order: RenderOrder) -> RenderOutcome:
    state, reason, message = _VERDICTS[verdict]
    cell, cells = read_progress(directory)
    text = message.format(
        timeout_s=order.timeout_s,
        memory=f"{order.max_memory_bytes / 1024**3:g} GiB",
        disk=f"{order.max_disk_bytes / 1024**3:g} GiB",
        files=order.max_files,
    )
    return replace(found, state=state, reason=reason, message=text, cells=cells, cells_done=max(0, cell - 1))


def _read_result(found: RenderOutcome, directory: Path, max_html_bytes: int) -> RenderOutcome:
    try:
        result = json.loads(read_capped(directory / "result.json", _MAX_RESULT_BYTES))
    except (ValueError, RecursionError) as error:
        raise BadResultError("result.json is no JSON") from error
    if not isinstance(result, dict):
        raise BadResultError("result.json is no object")
    found = replace(
        found,
        cells=_number(result, "cells"),
        cells_done=_number(result, "cells_done"),
        timings={**{phase: _seconds(result, f"{phase}_s") for phase in _PHASES}, **found.timings},
    )
    if result.get("state") != "succeeded":
        return _failure(found, result)
    try:
        html = open_result(directory, "result.html", max_html_bytes)
    except FileNotFoundError as error:
        raise BadResultError("result.html is missing") from error
    except TooBigError as error:
        message = (
            f"The result is {error.size_bytes / 1e6:.0f} MB, the limit is {max_html_bytes / 1e6:.0f} MB. "
            "The executed notebook is kept."
        )
        return replace(found, reason="html_too_big", message=message)
    return replace(found, state="succeeded", html=html)


def _failure(found: RenderOutcome, result: dict[str, Any]) -> RenderOutcome:
    reason = result.get("reason")
    line = result.get("line")
    return replace(
        found,
        reason=reason if reason in _REASONS else "bad_result",
        message=_text(result, "message", 2000) or "The code failed without a message.",
        traceback=_text(result, "traceback", MAX_TRACEBACK_CHARS),
        line=line if isinstance(line, int) and 0 < line < 10**6 else None,
    )


def _open_or_none(directory: Path, name: str, limit: int) -> BinaryIO | None:
    try:
        return open_result(directory, name, limit)
    except (FileNotFoundError, BadResultError):
        return None


def _read_log(directory: Path) -> str:
    """Returns what was printed; for a process that was ended without a word, what it told its descriptors."""
    return read_log(directory / "log.txt", MAX_LOG_BYTES) or read_log(directory / "stderr.raw", MAX_LOG_BYTES)


def read_log(path: Path, limit: int) -> str:
    """Returns the last `limit` bytes of a log as text; "" where there is none, or where it is no regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return ""
        text = os.pread(descriptor, limit, max(0, status.st_size - limit)).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return _CONTROL.sub("", text)


def _explain_death(returncode: object) -> str:
    if not isinstance(returncode, int):
        return "The kernel died: its process ended before it had a result."
    if returncode >= 0:
        return f"The kernel died: the code ended its process with exit code {returncode}."
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = str(-returncode)
    return f"The kernel died: its process was ended by the signal {name}."


def _text(result: dict[str, Any], name: str, limit: int) -> str:
    value = result.get(name)
    return _CONTROL.sub("", value)[:limit] if isinstance(value, str) else ""


def _number(result: dict[str, Any], name: str) -> int:
    value = result.get(name)
    return value if isinstance(value, int) and 0 <= value <= 10_000 else 0


def _seconds(result: dict[str, Any], name: str) -> float:
    value = result.get(name)
    return round(float(value), 4) if isinstance(value, int | float) and 0 <= value < 10**6 else 0.0
