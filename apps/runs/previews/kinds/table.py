"""Delimited text as a table."""

from __future__ import annotations

from typing import Final

from apps.runs.previews import tables
from apps.runs.previews.kinds import text
from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    """Detects a Dataset whose first two lines have the same number of commas."""
    if file.text is None or file.artifact.type != "system.Dataset":
        return Evidence.NONE
    lines = file.text.value.split("\n", 3)[:3]
    is_table = len(lines) > 1 and lines[0].count(",") == lines[1].count(",") > 0
    return Evidence.FIRST_LINES if is_table else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    content = text.read(file)
    table = tables.delimited(content.text, is_cut=file.is_cut, suffix=file.suffix)
    return tables.table_preview("table", file, table) if table else content


KIND: Final = PreviewKind(key="table", suffixes=(".csv", ".tsv"), detect=_detect, read=_read, is_text=True)
