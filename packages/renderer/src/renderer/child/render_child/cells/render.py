"""One render inside its sandbox: takes a notebook and produces page, executed notebook and result."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..page import export
from . import direct
from .capture import Recorder
from .handover import Handover
from .key_figures import take_figures
from .log import Log, Progress
from .notebook import Cell, build_notebook, split_cells
from .sampling import take_sample

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLACE: Final = re.compile(r"Cell In\[(\d+)\], line (\d+)")
_MAX_TRACEBACK: Final = 32_000
_SYNTAX: Final = frozenset({"SyntaxError", "IndentationError", "TabError"})
_MISSING: Final = re.compile(r"No module named '([\w.]{1,100})'")
_PACKAGE_HINT: Final = (
    '. This environment does not have it. Custom code can ask for packages in a header (PEP 723): "# /// script", '
    '\'# dependencies = ["{name}"]\', "# ///".'
)
_SOURCE_HINT: Final = " This is the chosen artifact: in a render its files are at the path in `source`."
_SEMAPHORE_HINT: Final = (
    ". Processes that start Python anew need semaphores by name, which the sandbox does not offer. Use the start "
    'method "fork", or threads (concurrent.futures.ThreadPoolExecutor).'
)
# Raised by os.fork() and subprocess, and by threading.
_REFUSED: Final = re.compile(r"BlockingIOError: \[Errno 11\]|can't start new thread")
_DIED: Final = "The kernel died. The code may have ended its process or needed more memory than there is."


class Render:
    """A render in progress. `run` completes it; `give_up` ends it early from any point."""

    def __init__(self, directory: Path, job: dict[str, Any], handover: Handover, on_end: Callable[[], None]) -> None:
        self._directory, self._job, self._handover, self._on_end = directory, job, handover, on_end
        # The fields of `renderer.RenderSpec`.
        self._spec: dict[str, Any] = job["spec"]
        self._cells: list[Cell] = split_cells(self._spec["code"])
        self.notebook = build_notebook(self._cells, job["title"], shows_code=self._spec["is_custom"])
        self.result: dict[str, Any] = {"cells": len(self._cells), "cells_done": 0}
        self._progress = Progress(handover, len(self._cells), self._keep_notebook)
        self._began = time.monotonic()

    def run(self, shell: Any, recorder: Recorder) -> None:
        """Runs the cells in this process. Always leaves a result."""
        recorder.max_bytes = self._job["max_output_bytes"]
        recorder.on_overflow = self._overflow
        self._sample()
        log = Log(self._handover.log)
        for stream in recorder.streams:
            stream.log = log.write
        try:
            direct.run_cells(shell, recorder, self.notebook, self._on_cell)
            self.result["cells_done"] = len(self._cells)
        except direct.CellFailedError:
            self.result.update(describe_error(self.notebook, self._cells, self._source_uri()))
        except direct.ShellEndedError:
            message = "The code ended its own kernel with exit() before the last cell."
            self.result.update(state="failed", reason="kernel_died", message=message)
        self.result["cells_s"] = time.monotonic() - self._began
        self.finish()

    def run_kernel(self, kernel: str) -> None:
        """Runs the cells in a separate kernel process through nbclient. Always leaves a result."""
        from .kernels import (  # noqa: PLC0415  (only these need it)
            DeadKernelError,
            KernelMissingError,
            execute,
            is_python,
        )

        self._sample()
        try:
            if not is_python(kernel):
                # The cell that reads the inputs is Python; code in another language reads the file itself.
                del self.notebook.cells[0]
            execute(self.notebook, kernel, self._on_cell)
            self.result["cells_done"] = len(self._cells)
        except DeadKernelError:
            self.result.update(state="failed", reason="kernel_died", message=_DIED)
        except KernelMissingError as error:
            self.result.update(state="failed", reason="kernel_missing", message=str(error))
        if "state" not in self.result and any(_errors(self.notebook)):
            self.result.update(describe_error(self.notebook, self._cells, self._source_uri()))
        self.result["cells_s"] = time.monotonic() - self._began
        self.finish()

    @property
    def was_refused(self) -> bool:
        """Whether it failed because no process or thread could be started."""
        return _REFUSED.search(self.result.get("traceback", "")) is not None

    def _sample(self) -> None:
        if self._spec["sample_rows"]:
            take_sample(self._directory, self._spec["sample_rows"])

    def finish(self) -> None:
        """Exports the page if the cells succeeded, and hands the results over."""
        began = time.monotonic()
        page = None
        if "state" not in self.result:
            self.result["figures"] = take_figures(self.notebook)
            page = export.export_html(self.notebook, self._job["title"])
            self.result["state"] = "succeeded"
        self.result["convert_s"] = time.monotonic() - began
        notebook = notebook_text(self.notebook)
        self._handover.finish(page=page, notebook=notebook, result=json.dumps(self.result))

    def _source_uri(self) -> str:
        return str(json.loads((self._directory / "inputs.json").read_text(encoding="utf-8"))["source_uri"])

    def _keep_notebook(self) -> None:
        # A process that is killed from outside writes nothing more.
        self._handover.write_notebook(notebook_text(self.notebook))

    def _on_cell(self, index: int) -> None:
        # The first cell reads the inputs and does not count.
        self.result["cells_done"] = max(0, index - 1)
        self._progress.tell(index, self.notebook)

    def _overflow(self) -> None:
        limit = self._job["max_output_bytes"] / 1e6
        message = f"The cells put out more than {limit:.0f} MB. The notebook is kept as far as it came."
        self.result.update(state="failed", reason="html_too_big", message=message)
        self.finish()
        self._on_end()


def _errors(notebook: Any) -> Any:
    return (
        (index, output)
        for index, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    )


def describe_error(notebook: Any, cells: list[Cell], source_uri: str = "") -> dict[str, Any]:
    """Returns state, reason, message, line and traceback of the first error among the outputs.

    Args:
        source_uri: the source's address as users know it; an error that contains it gets a hint.
    """
    for index, output in _errors(notebook):
        traceback = _ANSI.sub("", "\n".join(output.traceback))[-_MAX_TRACEBACK:]
        # The predefined types raise ValueError with a complete sentence, which needs no class name in front.
        plain = output.ename == "ValueError" and output.evalue
        hint = _hint(output, traceback, source_uri)
        return {
            "state": "failed",
            "reason": "syntax_error" if output.ename in _SYNTAX else "user_error",
            "message": (output.evalue if plain else f"{output.ename}: {output.evalue}")[:2000] + hint,
            "line": _find_line(traceback, index, cells),
            "traceback": traceback,
        }
    return {"state": "failed", "reason": "user_error", "message": "A cell failed.", "line": None, "traceback": ""}


def _hint(output: Any, traceback: str, source_uri: str) -> str:
    """Returns advice for an error that is due to where the code runs; "" for the code's own errors."""
    missing = _MISSING.fullmatch(output.evalue or "") if output.ename == "ModuleNotFoundError" else None
    if missing:
        return _PACKAGE_HINT.format(name=missing[1].partition(".")[0])
    # The object's name without its scheme: steps know it as /minio/..., /gcs/... or by its URI.
    place = source_uri.partition("://")[2].rstrip("/")
    if place and place in (output.evalue or "") and output.ename != "ValueError":
        return _SOURCE_HINT
    return _SEMAPHORE_HINT if output.ename == "PermissionError" and "SemLock" in traceback else ""


def _find_line(traceback: str, index: int, cells: list[Cell]) -> int | None:
    # The innermost frame in the failing cell: In[n] counts from 1 and includes the input cell.
    lines = [int(line) for number, line in _PLACE.findall(traceback) if int(number) == index + 1]
    if not lines or index == 0:
        return None
    return int(cells[index - 1].first_line + lines[-1] - 1)


def notebook_text(notebook: Any) -> str:
    """Returns the notebook as text. Bypasses nbformat's writer, which validates first and takes long."""
    return json.dumps(notebook, ensure_ascii=False, indent=1)
