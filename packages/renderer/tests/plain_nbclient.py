"""Runs notebooks with plain nbclient and ipykernel: `plain_nbclient.py IN OUT [IN OUT]...`.

test_equivalence.py uses it as its reference and runs it with an environment's own interpreter.
"""

import contextlib
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError


def run(source: Path, target: Path) -> None:
    notebook = nbformat.read(source, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": source.parent}}
    )
    with contextlib.suppress(CellExecutionError, DeadKernelError):
        client.execute()
    nbformat.write(notebook, target)


if __name__ == "__main__":
    names = iter(sys.argv[1:])
    for name in names:
        run(Path(name), Path(next(names)))
