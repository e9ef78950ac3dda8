"""Work common to most renders, done once before the first fork, so that children find its results in their memory."""

from __future__ import annotations

import sys
from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import GeneratorType
from typing import Any, Final

from ..cells.capture import Recorder
from ..cells.notebook import Cell, build_notebook
from ..page import export
from ..sandbox.confinement import Mode
from ..sandbox.seccomp import Spawning
from .prefault import Ranges

WARM_CELLS: Final = ("print('a')\n'b'", "from IPython.display import HTML, display\ndisplay(HTML('c'))")
_WARM_TABLE: Final = """\
import io, pandas
pandas.read_csv(io.StringIO("a,b\\n1,x\\n2,y\\n3,z\\n")).describe()"""
_WARM_FIGURE: Final = """\
import matplotlib.pyplot as plt
plt.plot([1, 2, 3]); plt.title("t"); plt.show()"""
# To find a cell's lines, `inspect` checks the file of every imported module, some thousands, once.
_WARM_ERROR: Final = "raise ValueError('d')"


@dataclass(frozen=True, slots=True)
class PreforkContext:
    """The state that a child finds when it is forked."""

    shell: Any
    recorder: Recorder
    streams: tuple[Any, Any]
    mode: Mode
    read_paths: list[str]
    spawning: Spawning = "processes"
    prefault_ranges: Ranges = field(default_factory=list)


def warm(context: PreforkContext, index_path: str) -> None:
    """Does once what most renders do (first table, figure, error, page), so that they find it done."""
    export.configure(Path(index_path))
    export.warm()
    texts = [*WARM_CELLS]
    texts += [_WARM_TABLE] if "pandas" in sys.modules else []
    texts += [_WARM_FIGURE] if "matplotlib.pyplot" in sys.modules else []
    rehearse(context, [*texts, _WARM_ERROR])
    _ask_for_collections()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    context.recorder.begin(build_notebook([], ""))
    context.shell.reset(new_session=True)


def _ask_for_collections() -> None:
    """Asks which built-in types are which kind of collection, because Python caches the answers.

    An uncached answer asks several hundred classes that libraries have derived or registered, which takes up to a
    millisecond. `Counter` and many library functions ask about every argument.
    """
    plain = (str, bytes, int, float, bool, type(None), list, tuple, dict, set, frozenset, range, Path)
    for kind in (abc.Collection, abc.Iterable, abc.Iterator, abc.Mapping, abc.Sequence, abc.Set, abc.Sized):
        for each in (*plain, GeneratorType, map, zip, filter, enumerate):
            issubclass(each, kind)


def rehearse(context: PreforkContext, texts: Sequence[str]) -> None:
    """Renders some cells and discards the page."""
    notebook = build_notebook([Cell(text=text, first_line=1) for text in texts], "")
    context.recorder.begin(notebook)
    plain = (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = context.streams
    try:
        for index, cell in enumerate(notebook.cells[1:]):
            context.shell.set_parent(context.recorder.open_cell(cell, index))
            context.shell.run_cell(cell.source)
            context.recorder.close_cell()
    finally:
        sys.stdout, sys.stderr = plain
    export.export_html(notebook, "")
