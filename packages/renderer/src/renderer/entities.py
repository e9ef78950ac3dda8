"""What goes into a render and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

MAX_LOG_BYTES: Final = 256 * 1024
MAX_TRACEBACK_CHARS: Final = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOrder:
    """What to render.

    Attributes:
        code: Python; a line starting with `# %%` begins a new cell.
        variables: the arguments, JSON values by name. Never formatted into code.
        source: a local path or glob that the code may read; "" where there is none.
        source_uri: where the source came from, for titles; "" where there is none.
        shows_code: whether the page has the code, folded away; the notebook always has it.
        kernel: a Jupyter kernelspec of the environment; "" runs Python in the render's own process.
        packages: a folder of packages that the code may import beside its environment's; None for none.
        sample_rows: give the code a sample, so many rows of each table in the source; None for all of it.
        timeout_s: from the moment the host gives it a process to its end.
        patience_s: how long it may wait for that moment.
        needs_sandbox: refuse to run where nothing confines the code.
        max_memory_bytes: of the render's whole process tree, by proportional set size.
        max_files, max_disk_bytes: of all it leaves in its directory, looked at each second.
    """

    code: str
    variables: Mapping[str, Any]
    source: str = ""
    source_uri: str = ""
    title: str = ""
    shows_code: bool = True
    kernel: str = ""
    packages: Path | None = None
    sample_rows: int | None = None
    timeout_s: float = 100
    patience_s: float = 90
    needs_sandbox: bool = False
    max_html_bytes: int = 64 * 1024**2
    max_memory_bytes: int = 4 * 1024**3
    max_processes: int = 128
    max_files: int = 10_000
    max_disk_bytes: int = 2 * 1024**3


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
        reason: "" when it succeeded, else a code: user_error, syntax_error, kernel_died, kernel_missing,
            out_of_memory, too_many_processes, disk_full, html_too_big, bad_result, environment_missing,
            unconfined, timed_out, cancelled.
        message: one sentence for people; "" when it succeeded.
        signal: the signal that ended its process, by the host's own words; None where none did.
        line: 1-based line of the order's code that raised; None where none is known.
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
        wait_for_end: returns once no process of the render is left; to be called before the end is told to anybody.
            Raises HostLostError where that cannot be found out.
    """

    state: str
    reason: str = ""
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
