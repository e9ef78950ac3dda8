"""The reference way: a kernel in a separate process, driven by nbclient, for all kernels but the built-in one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

__all__ = ["DeadKernelError", "KernelMissingError", "execute", "is_python"]
# Relative, because a socket's path may have only 107 bytes and the render's folder may be deep.
_SOCKETS = os.path.join("..", "tmp", "kernel")  # noqa: PTH118


class KernelMissingError(Exception):
    """The environment has no kernel of that name; the text says so."""


def is_python(kernel: str) -> bool:
    """Whether the language of a kernelspec is Python.

    Raises:
        KernelMissingError: no kernelspec has this name.
    """
    try:
        return bool(KernelSpecManager().get_kernel_spec(kernel).language == "python")
    except NoSuchKernel as error:
        raise KernelMissingError(f"This environment has no kernel named {kernel!r}.") from error


def execute(notebook: Any, kernel: str, on_cell: Callable[[int], None]) -> None:
    """Runs the cells in a new kernel and writes their outputs, including errors, into the notebook.

    Args:
        kernel: the name of a Jupyter kernelspec of the environment.
        on_cell: called with each cell's index before it runs.

    Raises:
        DeadKernelError: the kernel ended.
    """
    # Unix sockets: renders that start together would race for ports, and the sandbox has no network.
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
