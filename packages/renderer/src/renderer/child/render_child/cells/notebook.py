"""Code as a notebook: a constant first cell that reads the inputs, then the code, split at `# %%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from nbformat import from_dict

# No value is ever formatted into code: the kernel reads the values as JSON from a file.
_READ_INPUTS = """\
import json as _json
with open("../inputs.json", encoding="utf-8") as _file:
    _inputs = _json.load(_file)
source, source_uri, variables = _inputs["source"], _inputs["source_uri"], _inputs["variables"]
del _json, _file, _inputs"""
_BLANK = re.compile(r"\A(?:[^\S\n]*\n)*")
_CELL = re.compile(r"^# ?%%.*$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of code; `first_line` is the 1-based number of its first line in the whole code."""

    text: str
    first_line: int


def split_cells(code: str) -> list[Cell]:
    """Splits code at lines starting with `# %%`, which belong to no cell because a cell's magic must be its first line.

    Cells with nothing but white space are left out.
    """
    marks = list(_CELL.finditer(code))
    starts = [0, *(min(mark.end() + 1, len(code)) for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(code)]
    cells = []
    for start, end in zip(starts, ends, strict=True):
        text = code[start:end]
        if text.strip():
            # IPython does not count empty lines at a cell's start.
            shown = _BLANK.sub("", text)
            first = start + len(text) - len(shown)
            cells.append(Cell(text=shown.rstrip("\n"), first_line=code.count("\n", 0, first) + 1))
    return cells


def build_notebook(cells: list[Cell], title: str, *, shows_code: bool = True) -> Any:
    """Returns the notebook, starting with the input cell. Avoids nbformat's constructors, which validate each node.

    Args:
        shows_code: whether its page contains the code too.
    """
    return from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "title": title,
                "vizportal_shows_code": shows_code,
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                "language_info": {"name": "python"},
            },
            "cells": [
                _node("inputs", _READ_INPUTS, {"tags": ["vizportal-inputs"]}),
                *(_node(f"cell-{number}", cell.text, {}) for number, cell in enumerate(cells, 1)),
            ],
        }
    )


def _node(name: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "cell_type": "code",
        "metadata": metadata,
        "execution_count": None,
        "source": source,
        "outputs": [],
    }
