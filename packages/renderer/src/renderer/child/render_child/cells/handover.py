"""The files in which a render hands over its results.

Page, notebook and result are memory files (memfd_create(2)) that the host created and also has open. They are sealed
once they are written. Nobody can change a sealed file, so a reader that has it open can rely on it whatever the render
still does. The files have no path that could be given to another file.

Files that are read during a render are in its folder. They are created before untrusted code runs and written through
their descriptors. The folder is read-only for that code, so none of them can be replaced, linked or removed.

A file that is written repeatedly has two copies, written alternately. `progress`, one short line that is written at
once, says which copy is complete. So a reader finds a complete file during a render and after one that was ended.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

try:
    import fcntl

    _SEALS: int | None = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
except AttributeError:
    _SEALS = None  # not Linux

# In this order: the page, the executed notebook, the render's result as JSON.
RESULTS: Final = ("result.html", "result.ipynb", "result.json")
STREAMS: Final = ("stdout.raw", "stderr.raw")
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Handover:
    """The open files of one render.

    Attributes:
        log: descriptor of `log.txt`, for what the code prints.
        streams: descriptors of `stdout.raw` and `stderr.raw`, for output on the process's own descriptors.
    """

    def __init__(self, directory: Path, results: Sequence[int]) -> None:
        """Creates the files that are read during the render.

        Args:
            directory: of this render; none of the files may exist there.
            results: descriptors of empty files from `make_results`.

        Raises:
            OSError: a file exists, or the disk is full.
        """
        self._directory = directory
        self.log = self._make("log.txt", os.O_APPEND)
        self.streams = tuple(self._make(name, os.O_APPEND) for name in STREAMS)
        self._progress = self._make("progress")
        self._page, self._notebook, self._result = results
        self._notebooks = [self._make(f"notebook.{number}.ipynb") for number in (0, 1)]
        self._partials = [self._make(f"partial.{number}.html") for number in (0, 1)]
        # How often each was written. The parity identifies the complete copy; 0 means none.
        self._notebook_writes = self._partial_writes = 0
        self._cell = self._cells = 0

    def write_progress(self, cell: int, cells: int) -> None:
        """Records that cell `cell` of `cells` begins; 0 means none yet."""
        self._cell, self._cells = cell, cells
        self._tell()

    def write_notebook(self, text: str) -> None:
        """Writes the notebook in its current state."""
        _write(self._notebooks[(self._notebook_writes + 1) % 2], text)
        self._notebook_writes += 1
        self._tell()

    def write_partial(self, html: str) -> None:
        """Writes the page in its current state."""
        _write(self._partials[(self._partial_writes + 1) % 2], html)
        self._partial_writes += 1
        self._tell()

    def finish(self, *, page: str | None, notebook: str, result: str) -> None:
        """Writes and seals the results.

        Args:
            page: the whole page; None if the render has none.
            notebook: the executed notebook.
            result: how the render ended, as JSON.
        """
        for descriptor, text in ((self._page, page or ""), (self._notebook, notebook), (self._result, result)):
            _write(descriptor, text)
            seal(descriptor)

    def _tell(self) -> None:
        numbers = (self._cell, self._cells, self._notebook_writes, self._partial_writes)
        os.pwrite(self._progress, "".join(f"{number:10}" for number in numbers).encode(), 0)

    def _make(self, name: str, flags: int = 0) -> int:
        return os.open(self._directory / name, _FLAGS | flags, 0o600)


def _write(descriptor: int, text: str) -> None:
    content = memoryview(text.encode("utf-8", "replace"))
    os.ftruncate(descriptor, 0)
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)


def make_results() -> tuple[int, ...]:
    """Creates an empty file for each of `RESULTS`; returns their descriptors."""
    return tuple(_make_result(name) for name in RESULTS)


def _make_result(name: str) -> int:
    if _SEALS is not None:
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def seal(descriptor: int) -> None:
    """Makes a file from `make_results` immutable."""
    if _SEALS is not None:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)


def is_sealed(descriptor: int) -> bool:
    """Whether a file is immutable; False for a file that cannot be sealed."""
    if _SEALS is None:
        return False
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError:
        return False
