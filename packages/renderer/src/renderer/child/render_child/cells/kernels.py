"""The reference way: a kernel in a process of its own, driven by nbclient. For every kernel that is not ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

__all__ = ["DeadKernelError", "KernelMissingError", "execute", "is_python"]
# Relative, since a socket's path may have 107 bytes and the render's folder may be deep.
_SOCKETS = os.path.join("..", "tmp", "kernel")  # noqa: PTH118


class KernelMissingError(Exception):
    """The environment has no kernel of that name; the text says so."""


def is_python(kernel: str) -> bool:
    """Whether a kernelspec is of Python.

    Raises:
        KernelMissingError: there is none of that name.
    """
    try:
        return bool(KernelSpecManager().get_kernel_spec(kernel).language == "python")
    except NoSuchKernel as error:
        raise KernelMissingError(f"This environment has no kernel named {kernel!r}.") from error


def execute(notebook: Any, kernel: str, on_cell: Callable[[int], None]) -> None:
    """Runs the cells in a new kernel; outputs, an error's too, are written into the notebook.

    Args:
        kernel: the name of a Jupyter kernelspec of the environment.
        on_cell: told each cell's index before it runs.

    Raises:
        DeadKernelError: the kernel ended.
    """
    # Ports would be raced for by renders that start together, and the sandbox has no network: unix sockets instead.
    manager = AsyncKernelManager(kernel_name=kernel, transport="ipc", ip=_SOCKETS)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=None,
        startup_timeout=60,
        allow_errors=False,
        store_widget_state=True,
        coalesce_streams=False,
        resources={"metadata": {"path": os.getcwd()}},  # noqa: PTH109
        on_cell_start=lambda cell, cell_index: on_cell(cell_index),  # noqa: ARG005  (passed by name)
    )
    try:
        client.execute()
    except CellExecutionError:
        return
