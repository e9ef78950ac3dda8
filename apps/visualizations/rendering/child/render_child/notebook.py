"""Code as a notebook: a constant first cell that reads the inputs, then the code, cut at `# %%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import nbformat

# No value ever becomes code: the kernel reads them as JSON from a file.
_READ_INPUTS = """\
import json as _json
with open("../inputs.json", encoding="utf-8") as _file:
    _inputs = _json.load(_file)
source, source_uri, variables = _inputs["source"], _inputs["source_uri"], _inputs["variables"]
del _json, _file, _inputs"""
_CELL = re.compile(r"^# ?%%.*$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of code; `first_line` is its first line's number in the whole code, from 1."""

    text: str
    first_line: int


def split_cells(code: str) -> list[Cell]:
    """Cuts code at lines that start with `# %%`; cells that hold nothing but white space are left out."""
    bounds = [0, *(match.start() for match in _CELL.finditer(code)), len(code)]
    cells = []
    for start, end in pairwise(bounds):
        text = code[start:end]
        if text.strip():
            cells.append(Cell(text=text.rstrip("\n"), first_line=code.count("\n", 0, start) + 1))
    return cells


def build_notebook(cells: list[Cell], title: str) -> Any:
    """Returns the notebook, the input cell first."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["title"] = title
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python"}
    first = nbformat.v4.new_code_cell(_READ_INPUTS, metadata={"tags": ["vizportal-inputs"]})
    notebook.cells = [first, *(nbformat.v4.new_code_cell(cell.text) for cell in cells)]
    return notebook
