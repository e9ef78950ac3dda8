"""What a running render tells: its printed text as it comes, the cell it is in, and the page so far."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..page import export

_HEAD_BYTES: Final = 256 * 1024
_MOST_BYTES: Final = 1024 * 1024
_PAUSE_S: Final = 0.2
_PARTIAL_AFTER_S: Final = 1.0
_MAX_PARTIAL_BYTES: Final = 2 * 1024**2


class Log:
    """A file with what was printed, for people to follow.

    Text is written at once as long as there is little of it. A flood is written in pieces, and the file starts again
    each megabyte: only its end is ever read.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._written = 0
        self._held: list[str] = []
        self._last = 0.0

    def write(self, text: str) -> None:
        """Appends text, in a flood a little later."""
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
    """The files `progress` ("cell cells") and, in a render that takes its time, `partial.html` with the finished cells.

    Args:
        keep_notebook: writes the notebook as far as it is.
    """

    def __init__(self, directory: Path, cells: int, keep_notebook: Callable[[], None]) -> None:
        self._directory, self._cells, self._keep_notebook = directory, cells, keep_notebook
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(directory / "progress", flags, 0o600)
        self._next_partial = time.monotonic() + _PARTIAL_AFTER_S

    def tell(self, index: int, notebook: Any) -> None:
        """Says that cell `index` begins (0: none of the order's yet)."""
        os.pwrite(self._descriptor, f"{index:5} {self._cells:5}\n".encode(), 0)
        if index == 0:
            self._keep_notebook()
        elif time.monotonic() > self._next_partial and index > 1:
            self._keep_notebook()
            self._write_partial(notebook)
            self._next_partial = time.monotonic() + _PARTIAL_AFTER_S

    def _write_partial(self, notebook: Any) -> None:
        page = export.export_partial(notebook, notebook.metadata.get("title", ""))
        if len(page) > _MAX_PARTIAL_BYTES:
            return
        temporary = self._directory / "partial.html.part"
        temporary.write_text(page, encoding="utf-8", errors="replace")
        temporary.rename(self._directory / "partial.html")
