"""The progress of a render and its outcome."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self

MAX_LOG_BYTES: Final = 256 * 1024
MAX_TRACEBACK_CHARS: Final = 32_000


class FailureReason(enum.StrEnum):
    """Why a render did not succeed."""

    USER_ERROR = "user_error"
    SYNTAX_ERROR = "syntax_error"
    KERNEL_DIED = "kernel_died"
    KERNEL_MISSING = "kernel_missing"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_PROCESSES = "too_many_processes"
    DISK_FULL = "disk_full"
    HTML_TOO_BIG = "html_too_big"
    BAD_RESULT = "bad_result"
    ENVIRONMENT_MISSING = "environment_missing"
    UNCONFINED = "unconfined"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    WORKER_STOPPED = "worker_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """A number that a render leaves beside its page.

    Attributes:
        name: 1 to 100 characters.
        value: finite.
        unit: at most 20 characters; "" for none.
        better: higher, lower or none; "" if the code did not say.
    """

    name: str
    value: float
    unit: str = ""
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a render: `cell` of `cells` (1-based, 0 before the first), after `elapsed_s` seconds.

    Attributes:
        log: the last part of the output printed so far.
        page: the page so far; None if it has not changed.
    """

    cell: int
    cells: int
    elapsed_s: float
    log: str = ""
    page: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOutcome:
    """The outcome of a render. It owns open files: close it, or use it as a context manager.

    Attributes:
        state: succeeded, failed, timed_out or cancelled.
        reason: why the render did not succeed; "" if it did.
        message: one sentence for people; "" if the render succeeded.
        signal: the signal that ended the process, as the host reports it; None if no signal did.
        line: 1-based line of the code that raised; None if unknown.
        html: the exported page, open at its beginning; None unless the render succeeded.
        notebook: the executed notebook, complete or as far as it was written, open at its beginning; None if there is
            none. Page and notebook are within their size limits and can no longer be changed by anybody.
        log: the output of the code; only its last part if there is much.
        peak_memory_bytes: peak of the process tree's proportional set size, sampled from 0.3 s on. For a shorter
            render, the memory it added to the host's. None if the system does not report it.
        timings: seconds by phase: fork (waiting for a process), sandbox, cells, convert, run (these three and the rest
            of the child's lifetime), total.
        sandbox: the sandbox mode, how the processes were ended, and the gaps of the sandbox.
        lock: digest of the environment's lock file.
        figures: at most 64 key figures with different names; none unless the render succeeded.
        wait_for_end: returns once no process of the render is left. Call it before reporting the end to anybody. Raises
            HostLostError if that cannot be determined.
    """

    state: str
    reason: FailureReason | Literal[""] = ""
    message: str = ""
    traceback: str = ""
    signal: int | None = None
    line: int | None = None
    html: BinaryIO | None = None
    notebook: BinaryIO | None = None
    log: str = ""
    cells: int = 0
    cells_done: int = 0
    peak_memory_bytes: int | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    sandbox: str = "none"
    lock: str = ""
    figures: tuple[KeyFigure, ...] = ()
    wait_for_end: Callable[[], None] = lambda: None

    def close(self) -> None:
        """Waits for the end of the render's processes and closes the files. May be called repeatedly."""
        self.wait_for_end()
        for file in (self.html, self.notebook):
            if file is not None:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
