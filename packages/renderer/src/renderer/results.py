"""The outcome of a render, from the host's exit status and the sealed files that the render handed over."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from renderer.child.render_child.cells.key_figures import MAX_FIGURES, check_figures
from renderer.entities import (
    MAX_LOG_BYTES,
    MAX_TRACEBACK_CHARS,
    FailureReason,
    KeyFigure,
    RenderOutcome,
)
from renderer.exit_status import ExitStatus
from renderer.progress import read_progress
from renderer.result_files import CONTROL, BadResultError, open_result, read_log
from renderer.spec import RenderJob

_MAX_RESULT_BYTES: Final = 256 * 1024
_MAX_NOTEBOOK_BYTES: Final = 256 * 1024**2
# The reasons that a render itself may report.
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
        "Nothing confines a render on this worker, so it runs no custom code (docs/threat-model.md).",
    ),
    "too_many_processes": (
        "failed",
        FailureReason.TOO_MANY_PROCESSES,
        "It started more processes than are allowed here.",
    ),
}


def read_outcome(
    directory: Path,
    job: RenderJob,
    exit_status: ExitStatus,
    *,
    total_s: float,
    wait_for_end: Callable[[], None] = lambda: None,
) -> RenderOutcome:
    """Reads the outcome of the render in `directory`.

    The host's exit status is trusted. Everything else may come from hostile code and is checked.
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
    """Describes a sandbox in words, for the receipt."""
    parts = [mode, f"ended by {termination}" if termination else "", f"open: {', '.join(gaps)}" if gaps else ""]
    return "; ".join(filter(None, parts))


def _unfinished(found: RenderOutcome, directory: Path, said: dict[str, Any], job: RenderJob) -> RenderOutcome:
    """Returns the outcome of a render that ended, or was ended, before it handed anything over."""
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
        raise BadResultError("result.json is not JSON") from error
    if not isinstance(result, dict):
        raise BadResultError("result.json is not an object")
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
    return replace(found, state="succeeded", html=page, figures=_figures(result.get("figures")))


def _figures(given: object) -> tuple[KeyFigure, ...]:
    """Returns the well-formed key figures; the render controls what is given here."""
    listed = given[:MAX_FIGURES] if isinstance(given, list) else []
    return tuple(KeyFigure(**each) for each in check_figures(listed))


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
    """Returns the printed output; for a process that was killed, the output on its descriptors."""
    return read_log(directory / "log.txt", MAX_LOG_BYTES) or read_log(directory / "stderr.raw", MAX_LOG_BYTES)


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
    return CONTROL.sub("", value)[:limit] if isinstance(value, str) else ""


def _number(result: dict[str, Any], name: str) -> int:
    value = result.get(name)
    return value if isinstance(value, int) and 0 <= value <= 10_000 else 0


def _seconds(result: dict[str, Any], name: str) -> float:
    value = result.get(name)
    return round(float(value), 4) if isinstance(value, int | float) and 0 <= value < 10**6 else 0.0
