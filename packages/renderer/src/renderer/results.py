"""Reading what a render left: sealed memory files, and while it runs a few regular ones.

They are capped, and believed in nothing but their form.
"""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from renderer.child.render_child.cells.handover import RESULTS, is_sealed
from renderer.entities import (
    MAX_LOG_BYTES,
    MAX_TRACEBACK_CHARS,
    FailureReason,
    Progress,
    RenderOutcome,
)
from renderer.spec import RenderJob

_MAX_RESULT_BYTES: Final = 256 * 1024
_MAX_NOTEBOOK_BYTES: Final = 256 * 1024**2
_LIVE_LOG_BYTES: Final = 16 * 1024
_MAX_PARTIAL_BYTES: Final = 2 * 1024**2
_MOST_CELLS: Final = 10_000
_MOST_WRITES: Final = 10**9
# Those that a render may give itself.
_REASONS: Final = {
    reason.value: reason
    for reason in (
        FailureReason.USER_ERROR,
        FailureReason.SYNTAX_ERROR,
        FailureReason.KERNEL_DIED,
        FailureReason.KERNEL_MISSING,
        FailureReason.HTML_TOO_BIG,
    )
}
_PHASES: Final = ("sandbox", "cells", "convert")
# Kept: tab and line feed. ESC stays out, it only confuses terminals; PostgreSQL's text has no NUL.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
_EXIT_STATUSES: Final = {
    "timed_out": ("timed_out", FailureReason.TIMED_OUT, "Stopped after {timeout_s:g} s, the limit here."),
    "cancelled": ("cancelled", FailureReason.CANCELLED, "Cancelled."),
    "stopped": ("failed", FailureReason.WORKER_STOPPED, "The worker was stopped while this was rendering."),
    "out_of_memory": ("failed", FailureReason.OUT_OF_MEMORY, "It needed more memory than the {memory} allowed here."),
    "disk_full": (
        "failed",
        FailureReason.DISK_FULL,
        "It wrote more to the disk than is allowed here ({disk}, {files:,} files).",
    ),
    "unconfined": (
        "failed",
        FailureReason.UNCONFINED,
        "Nothing confines a render on this worker, so it runs no one's own code (docs/threat-model.md).",
    ),
    "too_many_processes": (
        "failed",
        FailureReason.TOO_MANY_PROCESSES,
        "It started more processes than are allowed here.",
    ),
}


_CAN_SEAL: Final = hasattr(os, "memfd_create")


class ExitStatus:
    """How the host says that a render ended, and what was handed over.

    Attributes:
        message: the host's own words.
        is_sealed: whether page, notebook and result are complete and cannot change any more.
    """

    def __init__(self, message: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Takes the descriptors over.

        Args:
            descriptors: of the files of `RESULTS`, in this order; none where nothing was started.
        """
        self.message = message
        self._files = [_reopened(descriptor) for descriptor in descriptors]
        self.is_sealed = len(self._files) == len(RESULTS) and all(is_sealed(file.fileno()) for file in self._files)

    def take(self) -> tuple[BinaryIO, BinaryIO, BinaryIO] | None:
        """Returns page, notebook and result, open at their beginning; None where the render did not hand them over.

        Call it once, after the end of the render's processes or where the files are sealed.
        """
        if len(self._files) == len(RESULTS) and (self.is_sealed or not _CAN_SEAL):
            page, notebook, result = self._files
            return page, notebook, result
        for file in self._files:
            file.close()
        return None


def _reopened(descriptor: int) -> BinaryIO:
    """Returns the file of a descriptor, opened anew: the render has the old one too, and could move its position."""
    try:
        flags = os.O_RDONLY | os.O_CLOEXEC
        return os.fdopen(os.open(f"/proc/self/fd/{descriptor}", flags) if _CAN_SEAL else os.dup(descriptor), "rb")
    finally:
        os.close(descriptor)


class BadResultError(Exception):
    """A file is not what a render may leave; the text says why."""


def open_result(directory: Path, name: str, limit: int) -> BinaryIO:
    """Opens what a render left; everything that is checked is checked on the descriptor that is returned.

    Args:
        name: of a file right in `directory`.
        limit: the most bytes that it may have.

    Raises:
        FileNotFoundError: there is none.
        BadResultError: larger, a link, a pipe, a device, or a file with a second name.
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
            raise BadResultError(f"{name} has {status.st_size} bytes, more than {limit}")
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
        self._seen = 0

    def read(self, elapsed_s: float) -> Progress:
        """Returns how far it is; `page` only where it is another than at the last look."""
        written = read_progress(self._directory)
        log = read_log(self._directory / "log.txt", _LIVE_LOG_BYTES)
        page = self._new_page(written)
        return Progress(cell=written.cell, cells=written.cells, elapsed_s=elapsed_s, log=log, page=page)

    def _new_page(self, written: Written) -> bytes | None:
        if written.partials in {0, self._seen}:
            return None
        self._seen = written.partials
        try:
            return read_capped(self._directory / written.partial_name, _MAX_PARTIAL_BYTES)
        except (OSError, BadResultError):
            return None


@dataclass(frozen=True, slots=True)
class Written:
    """What the file `progress` says. A render may write anything there, so the numbers are within bounds and no more.

    Attributes:
        cell: the cell that runs, of `cells`; 0 before the first.
        notebooks: how often the notebook was written; 0 where there is none.
        partials: how often the page as far as it is was written; 0 where there is none.
    """

    cell: int = 0
    cells: int = 0
    notebooks: int = 0
    partials: int = 0

    @property
    def notebook_name(self) -> str:
        """The copy of the notebook that is whole."""
        return f"notebook.{self.notebooks % 2}.ipynb"

    @property
    def partial_name(self) -> str:
        """The copy of the page as far as it is that is whole."""
        return f"partial.{self.partials % 2}.html"


def read_progress(directory: Path) -> Written:
    """Returns how far a render says that it is; all 0 as long as it says nothing sensible."""
    try:
        numbers = [int(number) for number in read_capped(directory / "progress", 64).split()]
        cell, cells, notebooks, partials = (min(max(number, 0), _MOST_WRITES) for number in numbers)
    except (OSError, BadResultError, ValueError):
        return Written()
    return Written(min(cell, _MOST_CELLS), min(cells, _MOST_CELLS), notebooks, partials)


def read_outcome(
    directory: Path,
    job: RenderJob,
    exit_status: ExitStatus,
    *,
    total_s: float,
    wait_for_end: Callable[[], None] = lambda: None,
) -> RenderOutcome:
    """Reads how the render in `directory` ended.

    The host's exit_status is ours; everything else was written beside hostile code and is checked.
    """
    said = exit_status.message
    found = RenderOutcome(
        state="failed",
        log=_read_log(directory),
        peak_memory_bytes=said.get("peak_memory_bytes") or None,
        sandbox=sandbox_label(said.get("mode", "none"), said.get("termination", ""), said.get("gaps", ())),
        timings={
            "fork": round(said.get("wait_s", 0.0), 4),
            "run": round(said.get("run_s", 0.0), 4),
            "total": round(total_s, 4),
        },
        wait_for_end=wait_for_end,
    )
    given = exit_status.take()
    if given is None or said.get("exit_status") in _EXIT_STATUSES:
        for file in given or ():
            file.close()
        return _unfinished(replace(found, notebook=_open_notebook(directory)), directory, said, job)
    page, notebook, result = given
    with result:
        try:
            found = _read_result(replace(found, notebook=_capped(notebook)), result, page, job.limits.max_html_bytes)
        except BadResultError as error:
            found = replace(
                found, reason=FailureReason.BAD_RESULT, message=f"The render left no usable result: {error}."
            )
    if found.html is None:
        page.close()
    return found


def sandbox_label(mode: str, termination: str, gaps: Sequence[str]) -> str:
    """Returns a sandbox in words, for a receipt."""
    parts = [mode, f"ended by {termination}" if termination else "", f"open: {', '.join(gaps)}" if gaps else ""]
    return "; ".join(filter(None, parts))


def _unfinished(found: RenderOutcome, directory: Path, said: dict[str, Any], job: RenderJob) -> RenderOutcome:
    """Returns the outcome of a render that was ended, or ended by itself, before it handed anything over."""
    returncode = said.get("returncode")
    died = ("failed", FailureReason.KERNEL_DIED, _explain_death(returncode))
    state, reason, message = _EXIT_STATUSES.get(said.get("exit_status", ""), died)
    written = read_progress(directory)
    text = message.format(
        timeout_s=job.spec.timeout_s,
        memory=f"{job.limits.max_memory_bytes / 1024**3:g} GiB",
        disk=f"{job.limits.max_disk_bytes / 1024**3:g} GiB",
        files=job.limits.max_files,
    )
    found = replace(found, cells=written.cells, cells_done=max(0, written.cell - 1))
    if reason is FailureReason.KERNEL_DIED and isinstance(returncode, int) and returncode < 0:
        found = replace(found, signal=-returncode)
    return replace(found, state=state, reason=reason, message=text)


def _read_result(found: RenderOutcome, file: BinaryIO, page: BinaryIO, max_html_bytes: int) -> RenderOutcome:
    content = file.read(_MAX_RESULT_BYTES + 1)
    if len(content) > _MAX_RESULT_BYTES:
        raise BadResultError(f"result.json has more than {_MAX_RESULT_BYTES} bytes")
    try:
        result = json.loads(content)
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
    size_bytes = os.fstat(page.fileno()).st_size
    if size_bytes > max_html_bytes:
        message = (
            f"The result is {size_bytes / 1e6:.0f} MB, the limit is {max_html_bytes / 1e6:.0f} MB. "
            "The executed notebook is kept."
        )
        return replace(found, reason=FailureReason.HTML_TOO_BIG, message=message)
    return replace(found, state="succeeded", html=page)


def _capped(notebook: BinaryIO) -> BinaryIO | None:
    if os.fstat(notebook.fileno()).st_size <= _MAX_NOTEBOOK_BYTES:
        return notebook
    notebook.close()
    return None


def _failure(found: RenderOutcome, result: dict[str, Any]) -> RenderOutcome:
    line = result.get("line")
    return replace(
        found,
        reason=_REASONS.get(str(result.get("reason")), FailureReason.BAD_RESULT),
        message=_text(result, "message", 2000) or "The code failed without a message.",
        traceback=_text(result, "traceback", MAX_TRACEBACK_CHARS),
        line=line if isinstance(line, int) and 0 < line < 10**6 else None,
    )


def _open_notebook(directory: Path) -> BinaryIO | None:
    written = read_progress(directory)
    if not written.notebooks:
        return None
    try:
        return open_result(directory, written.notebook_name, _MAX_NOTEBOOK_BYTES)
    except (FileNotFoundError, BadResultError):
        return None


def _read_log(directory: Path) -> str:
    """Returns what was printed; for a process that was killed, what it wrote to its descriptors."""
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
