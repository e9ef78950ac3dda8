"""Runs a notebook's cells in this process, the way ipykernel runs them in its own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from . import semaphores
from .capture import Recorder


class CellFailedError(Exception):
    """A cell raised an exception; its traceback is among its outputs."""


class ShellEndedError(Exception):
    """A cell called `exit()` although more cells followed."""


def run_cells(shell: Any, recorder: Recorder, notebook: Any, on_cell: Callable[[int], None]) -> None:
    """Runs every cell in order and writes outputs and execution counts into the notebook.

    Args:
        on_cell: called with each cell's index before it runs.

    Raises:
        CellFailedError: a cell raised; the cells after it did not run.
        ShellEndedError: a cell called `exit()` although more cells followed.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    recorder.begin(notebook)
    try:
        # One loop runs all cells, so tasks that a cell starts continue during the next cell.
        loop.run_until_complete(_run_all(shell, recorder, notebook, on_cell))
    finally:
        recorder.finish()


async def _run_all(shell: Any, recorder: Recorder, notebook: Any, on_cell: Callable[[int], None]) -> None:
    last = len(notebook.cells) - 1
    for index, cell in enumerate(notebook.cells):
        on_cell(index)
        shell.set_parent(recorder.open_cell(cell, index))
        try:
            result = await _run_cell(shell, cell.source)
        finally:
            cell.execution_count = shell.execution_count - 1
            recorder.close_cell()
        if not result.success or shell._last_traceback_during_displayhook:  # noqa: SLF001  (as ipykernel reads it)
            raise CellFailedError
        if shell.exit_now and index != last:
            raise ShellEndedError
        # Gives the tasks that the cell left in the loop a turn, as between two requests to a kernel.
        await asyncio.sleep(0)


async def _run_cell(shell: Any, code: str) -> Any:
    """Follows the steps of ipykernel's `do_execute`."""
    preprocessing_error = None
    try:
        transformed = shell.transform_cell(code)
    except Exception:  # noqa: BLE001  (whatever a transformer raises is shown as the cell's own error)
        transformed, preprocessing_error = code, sys.exc_info()
    how = {"transformed_cell": transformed, "preprocessing_exc_tuple": preprocessing_error}
    if not shell.should_run_async(code, **how):
        return shell.run_cell(code, store_history=True)
    shell._last_traceback = None  # noqa: SLF001
    shell._last_traceback_during_displayhook = False  # noqa: SLF001
    result = None
    try:
        result = await shell.run_cell_async(code, store_history=True, **how)
    finally:
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    return result


def settle_in(environ: dict[str, str]) -> None:
    """Replaces state copied from the host by this process's own: environment, temporary folder, randomness, locks."""
    os.environ.update(environ)
    semaphores.install()
    tempfile.tempdir = None
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        # With the host's state every render would get the same numbers.
        numpy.random.seed()
    for name in ("get_cachedir", "get_configdir"):
        _forget_answer(getattr(sys.modules.get("matplotlib"), name, None))
    if sys.path[:1] != [""]:
        sys.path.insert(0, "")


def _forget_answer(function: Any) -> None:
    """Makes matplotlib look up its folders again: it caches the first answer in a closure that nothing else resets."""
    code = getattr(function, "__code__", None)
    if code is not None and "called" in code.co_freevars:
        function.__closure__[code.co_freevars.index("called")].cell_contents = False
