"""What a render tells while it runs, and how it ended."""

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
        better: higher, lower or none; "" where the code did not say.
    """

    name: str
    value: float
    unit: str = ""
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a render is: `cell` of `cells` (1-based, 0 before the first), after `elapsed_s` seconds.

    Attributes:
        log: the end of what it printed so far.
        page: the page so far, where there is a new one; None where there is not.
    """

    cell: int
    cells: int
    elapsed_s: float
    log: str = ""
    page: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOutcome:
    """How a render ended. It owns open files: close it, or use it as a context manager.

    Attributes:
        state: succeeded, failed, timed_out or cancelled.
        reason: why it did not succeed; "" when it did.
        message: one sentence for people; "" when it succeeded.
        signal: the signal that ended its process, by the host's own words; None where none did.
        line: 1-based line of the code that raised; None where none is known.
        html: the exported page, open at its beginning; None unless it succeeded.
        notebook: the executed notebook, whole or as far as it came, open at its beginning; None where there is none.
            Both are within their limits of size, and nobody can change them any more.
        log: what the code printed, its end where there is much.
        peak_memory_bytes: of the process tree, proportional set size, sampled from 0.3 s on; for a shorter render what
            it added to the host's memory; None where the system cannot tell.
        timings: seconds by phase: fork (waiting for a process), sandbox, cells, convert, run (the three and the rest
            of the child's life), total.
        sandbox: what confined it, and what it could reach all the same.
        lock: digest of the environment's lock file.
        figures: at most 64 key figures with different names; none unless it succeeded.
        wait_for_end: returns once no process of the render is left; to be called before the end is told to anybody.
            Raises HostLostError where that cannot be found out.
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
        """Waits for the end of the render's processes and closes the files. Safe to call again."""
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
