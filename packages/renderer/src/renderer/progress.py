"""The progress of a running render, read from its files: size-limited, and trusted only in their format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from renderer.entities import Progress
from renderer.result_files import BadResultError, read_capped, read_log

_LIVE_LOG_BYTES: Final = 16 * 1024
_MAX_PARTIAL_BYTES: Final = 2 * 1024**2
_MOST_CELLS: Final = 10_000
_MOST_WRITES: Final = 10**9


class Watcher:
    """Reads the progress of a running render. Reads are size-limited, because hostile code may control the files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen = 0

    def read(self, elapsed_s: float) -> Progress:
        """Returns the progress; `page` is set only if it has changed since the last call."""
        written = read_progress(self._directory)
        log = read_log(self._directory / "log.txt", _LIVE_LOG_BYTES)
        page = self._new_page(written)
        return Progress(cell=written.cell, cells=written.cells, elapsed_s=elapsed_s, log=log, page=page)

    def _new_page(self, written: Written) -> bytes | None:
        if written.partials in {0, self._seen}:
            return None
        self._seen = written.partials
        try:
            return read_capped(self._directory / written.partial_name, _MAX_PARTIAL_BYTES)
        except (OSError, BadResultError):
            return None


@dataclass(frozen=True, slots=True)
class Written:
    """Contents of the file `progress`. A render may write anything there, so the numbers are only known to be in range.

    Attributes:
        cell: the running cell, of `cells`; 0 before the first.
        notebooks: how often the notebook was written; 0 if there is none.
        partials: how often the partial page was written; 0 if there is none.
    """

    cell: int = 0
    cells: int = 0
    notebooks: int = 0
    partials: int = 0

    @property
    def notebook_name(self) -> str:
        """The complete copy of the notebook."""
        return f"notebook.{self.notebooks % 2}.ipynb"

    @property
    def partial_name(self) -> str:
        """The complete copy of the partial page."""
        return f"partial.{self.partials % 2}.html"


def read_progress(directory: Path) -> Written:
    """Returns the progress that a render reports; all zeros if it has reported nothing valid."""
    try:
        numbers = [int(number) for number in read_capped(directory / "progress", 64).split()]
        cell, cells, notebooks, partials = (min(max(number, 0), _MOST_WRITES) for number in numbers)
    except (OSError, BadResultError, ValueError):
        return Written()
    return Written(min(cell, _MOST_CELLS), min(cells, _MOST_CELLS), notebooks, partials)
