"""Reading what a render left: two files, regular, capped, and believed in nothing but their form."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from apps.visualizations.rendering.entities import MAX_LOG_BYTES, MAX_TRACEBACK_CHARS, RenderOutcome

_MAX_RESULT_BYTES: Final = 256 * 1024
_MAX_NOTEBOOK_BYTES: Final = 256 * 1024**2
_REASONS: Final = frozenset({"user_error", "syntax_error", "kernel_died", "bad_code"})
_PHASES: Final = ("kernel_start", "execute", "export")
_VERDICTS: Final = {
    "timed_out": ("timed_out", "timed_out", "Stopped after {timeout_s:g} s, the limit here."),
    "cancelled": ("cancelled", "cancelled", "Cancelled."),
    "stopped": ("failed", "worker_stopped", "The worker was stopped while this was rendering."),
    "out_of_memory": ("failed", "out_of_memory", "It needed more memory than the {memory} allowed here."),
    "too_many_processes": (
        "failed",
        "too_many_processes",
        "It started more processes than are allowed here.",
    ),
}


class BadResultError(Exception):
    """A file is not what a render may leave; the text says why."""


def read_capped(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is none.
        BadResultError: a link, a pipe, a device, or larger.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadResultError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadResultError(f"{path.name} is not a regular file")
        if status.st_size > limit:
            raise BadResultError(f"{path.name} has {status.st_size} bytes, more than {limit}")
        return os.read(descriptor, limit)
    finally:
        os.close(descriptor)


def read_progress(directory: Path) -> tuple[int, int]:
    """Returns (cell, cells), (0, 0) as long as nothing sensible is known."""
    try:
        cell, cells = read_capped(directory / "progress", 64).split()
        return min(int(cell), 10_000), min(int(cells), 10_000)
    except (FileNotFoundError, BadResultError, ValueError):
        return 0, 0


def read_outcome(directory: Path, *, max_html_bytes: int, timeout_s: float, total_s: float) -> RenderOutcome:
    """Reads how the render in `directory` ended.

    The supervisor's verdict is ours; result.json and result.html were written beside hostile code and are checked.
    """
    verdict = _read_verdict(directory)
    found = RenderOutcome(
        state="failed",
        log=_read_log(directory / "log.txt"),
        notebook_path=_regular_or_none(directory / "result.ipynb", _MAX_NOTEBOOK_BYTES),
        peak_memory_bytes=verdict.get("peak_memory_bytes") or None,
        timings={"total": total_s},
    )
    if verdict.get("verdict") in _VERDICTS:
        return _stopped(found, directory, verdict["verdict"], timeout_s)
    try:
        return _read_result(found, directory, max_html_bytes)
    except FileNotFoundError:
        return replace(found, reason="kernel_died", message=_explain_death(verdict.get("returncode")))
    except BadResultError as error:
        return replace(found, reason="bad_result", message=f"The render left no usable result: {error}.")


def _stopped(found: RenderOutcome, directory: Path, verdict: str, timeout_s: float) -> RenderOutcome:
    state, reason, message = _VERDICTS[verdict]
    cell, cells = read_progress(directory)
    memory = f"{json.loads((directory / 'job.json').read_bytes())['max_memory_bytes'] / 1024**3:g} GiB"
    text = message.format(timeout_s=timeout_s, memory=memory)
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
        timings={**{phase: _seconds(result, phase) for phase in _PHASES}, **found.timings},
    )
    if result.get("state") != "succeeded":
        return _failure(found, result)
    html = directory / "result.html"
    size = _regular_size(html)
    if size > max_html_bytes:
        message = (
            f"The result is {size / 1e6:.0f} MB, the limit is {max_html_bytes / 1e6:.0f} MB. "
            "The executed notebook is kept."
        )
        return replace(found, reason="html_too_big", message=message)
    return replace(found, state="succeeded", html_path=html)


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


def _read_verdict(directory: Path) -> dict[str, Any]:
    try:
        verdict: dict[str, Any] = json.loads(read_capped(directory / "verdict.json", 4096))
    except (FileNotFoundError, BadResultError, ValueError):
        return {}
    return verdict


def _regular_size(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError as error:
        raise BadResultError(f"{path.name} is missing") from error
    if not stat.S_ISREG(status.st_mode):
        raise BadResultError(f"{path.name} is not a regular file")
    return status.st_size


def _regular_or_none(path: Path, limit: int) -> Path | None:
    try:
        return path if _regular_size(path) <= limit else None
    except BadResultError:
        return None


def _read_log(path: Path) -> str:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return ""
        with path.open("rb") as file:
            file.seek(max(0, status.st_size - MAX_LOG_BYTES))
            return file.read(MAX_LOG_BYTES).decode("utf-8", "replace").replace("\x00", "")
    except OSError:
        return ""


def _explain_death(returncode: object) -> str:
    if isinstance(returncode, int) and returncode < 0:
        return f"The kernel's process was ended by signal {-returncode}."
    return "The kernel's process ended before it had a result."


def _text(result: dict[str, Any], name: str, limit: int) -> str:
    value = result.get(name)
    # PostgreSQL's text has no NUL; other control characters only confuse terminals.
    return re.sub(r"[\x00-\x08\x0b-\x1f]", "", value)[:limit] if isinstance(value, str) else ""


def _number(result: dict[str, Any], name: str) -> int:
    value = result.get(name)
    return value if isinstance(value, int) and 0 <= value <= 10_000 else 0


def _seconds(result: dict[str, Any], name: str) -> float:
    value = result.get(name)
    return round(float(value), 4) if isinstance(value, int | float) and 0 <= value < 10**6 else 0.0
