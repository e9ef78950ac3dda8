"""Parquet and Arrow files as a table. A short-lived process of another environment reads them, never the portal."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from renderer import ConfinedLimits, ConfinedTimeoutError, run_confined

from apps.runs.previews.preview import MOST_COLUMNS, MOST_ROWS, shortened
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind
from apps.runs.previews.source import Source
from apps.runs.previews.tables import TablePreview

READER: Final = Path(__file__).parent.parent / "child" / "read_table.py"
# Both contain the library that reads tables; `previews` contains nothing else, for machines without workers.
_ENVIRONMENTS: Final = ("previews", "base")
_LARGEST_BYTES: Final = 64 * 1024**2  # the whole file is read, because the index is at its end
_SIGNATURES: Final = (b"PAR1", b"ARROW1")
_STREAM_SIGNATURE: Final = b"\xff\xff\xff\xff"
_STREAM_SUFFIXES: Final = frozenset({".arrow", ".arrows", ".feather", ".ipc"})
LIMITS: Final = ConfinedLimits(timeout_s=10.0, output_bytes=4 * 1024**2)
_turns: Final = threading.BoundedSemaphore(2)


class _UnreadableError(Exception):
    """The file cannot be read; the text says why, for people."""


def _detect(file: PreviewFile) -> Evidence:
    # Arrow's stream format begins with four bytes that are too common to be proof without a suffix.
    is_stream = file.head.startswith(_STREAM_SIGNATURE) and file.suffix in _STREAM_SUFFIXES
    return Evidence.SIGNATURE if is_stream or file.head.startswith(_SIGNATURES) else Evidence.NONE


def _read(file: PreviewFile) -> TablePreview:
    """Returns a columnar file's first rows, column types and number of rows."""
    try:
        answer = _read_table(file.source)
    except _UnreadableError as error:
        return TablePreview(preview_kind="columnar", size_bytes=file.size_bytes, note=str(error))
    row_count, columns = answer["row_count"], answer["column_count"]
    return TablePreview(
        preview_kind="columnar",
        size_bytes=file.size_bytes,
        header=answer["header"],
        types=answer["types"],
        rows=answer["rows"],
        row_count=row_count,
        is_cut=row_count > len(answer["rows"]),
        note=f"The first {MOST_COLUMNS} of {columns} columns." if columns > MOST_COLUMNS else "",
    )


def _read_table(source: Source) -> dict[str, Any]:
    interpreter = _interpreter()
    with _turn(), tempfile.TemporaryDirectory(prefix="vp-table-") as folder:
        with (Path(folder) / "input").open("wb") as file:
            size = source.copy_to(file, _LARGEST_BYTES + 1)
        if size > _LARGEST_BYTES:
            raise _UnreadableError(
                "This table is larger than 64 MB, too large to preview. Download it, or visualize it."
            )
        return _answer(_run(interpreter, Path(folder)))


def _interpreter() -> Path:
    for key in _ENVIRONMENTS:
        interpreter: Path = settings.VIZPORTAL_ENVIRONMENTS_DIR / key / "bin" / "python"
        if interpreter.exists():
            return interpreter
    raise _UnreadableError(
        "This table is read by the environment previews, which is not built on this server: "
        "manage.py environments build previews."
    )


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=LIMITS.timeout_s):
        raise _UnreadableError("Other tables are being read just now. Try again in a moment.")
    try:
        yield
    finally:
        _turns.release()


def _run(interpreter: Path, folder: Path) -> bytes:
    arguments = (str(MOST_ROWS), str(MOST_COLUMNS))
    try:
        return run_confined(READER, arguments, interpreter=interpreter, folder=folder, limits=LIMITS)
    except ConfinedTimeoutError as error:
        raise _UnreadableError("Reading this table took too long.") from error


def _answer(text: bytes) -> dict[str, Any]:
    """Returns the reader's answer. The file may have exploited the reader, so every type is checked."""
    try:
        found = json.loads(text)
        if "error" in found:
            raise _UnreadableError(f"This table cannot be read: {str(found['error'])[:400]}")
        return {
            "header": _cells(found["header"]),
            "types": _cells(found["types"]),
            "rows": tuple(_cells(row) for row in found["rows"][:MOST_ROWS]),
            "row_count": int(found["row_count"]),
            "column_count": int(found["column_count"]),
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _UnreadableError("This table cannot be read: its file ended the process that read it.") from error


def _cells(row: list[Any]) -> tuple[str, ...]:
    return tuple(shortened(str(cell)) for cell in row[:MOST_COLUMNS])


KIND: Final = PreviewKind(key="columnar", detect=_detect, read=_read, largest_bytes=_LARGEST_BYTES)
