"""The reference, run by an environment's own interpreter: `reference.py NOTEBOOK PAGE`.

Plain nbclient, ipykernel and nbconvert's default HTML exporter, as anybody would use them, started cold.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter


def main(notebook_path: Path, page_path: Path) -> None:
    """Executes the notebook in a new kernel and writes it as HTML."""
    notebook = nbformat.read(notebook_path, as_version=4)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    body, _ = HTMLExporter().from_notebook_node(notebook)
    page_path.write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
