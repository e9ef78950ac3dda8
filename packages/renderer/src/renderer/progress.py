"""How far a running render is, by the files that it writes; capped, and believed in nothing but their form."""

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
    """Reads what a running render shows of itself, with caps: it was written beside hostile code."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen = 0

    def read(self, elapsed_s: float) -> Progress:
        """Returns how far it is; `page` only where it is another than at the last look."""
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
    """What the file `progress` says. A render may write anything there, so the numbers are within bounds and no more.

    Attributes:
        cell: the cell that runs, of `cells`; 0 before the first.
        notebooks: how often the notebook was written; 0 where there is none.
        partials: how often the page as far as it is was written; 0 where there is none.
    """

    cell: int = 0
    cells: int = 0
    notebooks: int = 0
    partials: int = 0

    @property
    def notebook_name(self) -> str:
        """The copy of the notebook that is whole."""
        return f"notebook.{self.notebooks % 2}.ipynb"

    @property
    def partial_name(self) -> str:
        """The copy of the page as far as it is that is whole."""
        return f"partial.{self.partials % 2}.html"


def read_progress(directory: Path) -> Written:
    """Returns how far a render says that it is; all 0 as long as it says nothing sensible."""
    try:
        numbers = [int(number) for number in read_capped(directory / "progress", 64).split()]
        cell, cells, notebooks, partials = (min(max(number, 0), _MOST_WRITES) for number in numbers)
    except (OSError, BadResultError, ValueError):
        return Written()
    return Written(min(cell, _MOST_CELLS), min(cells, _MOST_CELLS), notebooks, partials)
