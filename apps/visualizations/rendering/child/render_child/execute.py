"""Running the notebook in a fresh kernel with nbclient and writing result.html, result.ipynb and result.json."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from .notebook import Cell, build_notebook, split_cells

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLACE = re.compile(r"Cell In\[(\d+)\], line (\d+)")
_MAX_TRACEBACK = 32_000


def run(directory: Path) -> None:
    """Renders what `directory` holds. Always leaves result.json, unless the process is killed."""
    job = json.loads((directory / "job.json").read_text(encoding="utf-8"))
    cells = split_cells(job["code"])
    result: dict[str, Any] = {"cells": len(cells), "cells_done": 0}
    notebook = build_notebook(cells, job["title"])
    try:
        _execute(notebook, cells, directory, result)
        if "state" not in result:
            _export(notebook, directory, job["title"], result)
    finally:
        _write(directory / "result.ipynb", nbformat.writes(notebook))
        _write(directory / "result.json", json.dumps(result))


def _execute(notebook: Any, cells: list[Cell], directory: Path, result: dict[str, Any]) -> None:
    started = time.monotonic()

    def on_cell_start(cell: Any, cell_index: int) -> None:  # noqa: ARG001  (nbclient passes both by name)
        if cell_index == 0:
            result["kernel_start"] = time.monotonic() - started
        _write(directory / "progress", f"{cell_index} {len(cells)}")

    def on_cell_executed(cell: Any, cell_index: int, execute_reply: Any) -> None:  # noqa: ARG001
        result["cells_done"] = cell_index

    # Ports would be raced for by renders that start together, and reachable by each other: unix sockets instead.
    manager = AsyncKernelManager(transport="ipc", ip=os.path.join(os.environ["TMPDIR"], "kernel"))  # noqa: PTH118
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=None,
        startup_timeout=60,
        allow_errors=False,
        store_widget_state=True,
        resources={"metadata": {"path": str(directory / "work")}},
        on_cell_start=on_cell_start,
        on_cell_executed=on_cell_executed,
    )
    try:
        client.execute()
    except CellExecutionError:
        result.update(_describe_error(notebook, cells))
    except DeadKernelError:
        message = "The kernel died. The code may have ended its process or needed more memory than there is."
        result.update(state="failed", reason="kernel_died", message=message, line=None, traceback="")
    result["execute"] = time.monotonic() - started - result.get("kernel_start", 0)


def _describe_error(notebook: Any, cells: list[Cell]) -> dict[str, Any]:
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                traceback = _ANSI.sub("", "\n".join(output.traceback))[-_MAX_TRACEBACK:]
                is_syntax = output.ename in {"SyntaxError", "IndentationError", "TabError"}
                # Our own types raise ValueError with a whole sentence; a class name before it helps nobody.
                plain = output.ename == "ValueError" and output.evalue
                return {
                    "state": "failed",
                    "reason": "syntax_error" if is_syntax else "user_error",
                    "message": (output.evalue if plain else f"{output.ename}: {output.evalue}")[:2000],
                    "line": _find_line(traceback, index, cells),
                    "traceback": traceback,
                }
    return {
        "state": "failed",
        "reason": "user_error",
        "message": "A cell failed.",
        "line": None,
        "traceback": "",
    }


def _find_line(traceback: str, index: int, cells: list[Cell]) -> int | None:
    # The innermost frame that lies in the failing cell: In[n] counts from 1 with the input cell.
    lines = [int(line) for number, line in _PLACE.findall(traceback) if int(number) == index + 1]
    if not lines or index == 0:
        return None
    return int(cells[index - 1].first_line + lines[-1] - 1)


def _export(notebook: Any, directory: Path, title: str, result: dict[str, Any]) -> None:
    from .export import export_html  # noqa: PLC0415  (costs 0.2 s; a failing render does not pay it)

    started = time.monotonic()
    _write(directory / "result.html", export_html(notebook, title))
    result["export"] = time.monotonic() - started
    result["state"] = "succeeded"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(text, encoding="utf-8", errors="replace")
    temporary.rename(path)
