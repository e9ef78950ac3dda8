"""The progress that a running render reports: its printed text, the current cell, and the page so far."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

from ..page import export
from .handover import Handover

_HEAD_BYTES: Final = 256 * 1024
_MOST_BYTES: Final = 1024 * 1024
_PAUSE_S: Final = 0.2
_PARTIAL_AFTER_S: Final = 1.0
_MAX_PARTIAL_BYTES: Final = 2 * 1024**2


class Log:
    """A file with the printed text, for people to follow.

    Small amounts of text are written immediately. A flood is buffered, and the file restarts after each megabyte,
    because only its last part is ever read.

    Args:
        descriptor: of a file that is open for appending.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written = 0
        self._held: list[str] = []
        self._last = 0.0

    def write(self, text: str) -> None:
        """Appends text, with a short delay during a flood."""
        self._held.append(text)
        if self._written > _HEAD_BYTES:
            if time.monotonic() - self._last < _PAUSE_S:
                del self._held[:-1000]
                return
            self._last = time.monotonic()
        piece = "".join(self._held).encode("utf-8", "replace")[-_HEAD_BYTES:]
        self._held.clear()
        if os.fstat(self._descriptor).st_size > _MOST_BYTES:
            os.ftruncate(self._descriptor, 0)
        self._written += len(piece)
        os.write(self._descriptor, piece)


class Progress:
    """Records how far a render is. A long render also gets a partial page with the finished cells.

    Args:
        keep_notebook: writes the notebook in its current state.
    """

    def __init__(self, handover: Handover, cells: int, keep_notebook: Callable[[], None]) -> None:
        self._handover, self._cells, self._keep_notebook = handover, cells, keep_notebook
        self._next_partial = time.monotonic() + _PARTIAL_AFTER_S

    def tell(self, index: int, notebook: Any) -> None:
        """Records that cell `index` begins; 0 is the cell that reads the inputs."""
        self._handover.write_progress(index, self._cells)
        if index == 0:
            self._keep_notebook()
        elif time.monotonic() > self._next_partial and index > 1:
            self._keep_notebook()
            self._write_partial(notebook)
            self._next_partial = time.monotonic() + _PARTIAL_AFTER_S

    def _write_partial(self, notebook: Any) -> None:
        page = export.export_partial(notebook, notebook.metadata.get("title", ""))
        if len(page) <= _MAX_PARTIAL_BYTES:
            self._handover.write_partial(page)
