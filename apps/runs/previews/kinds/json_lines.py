"""JSON lines as a table with a column for each key."""

from __future__ import annotations

import json
from typing import Final

from apps.runs.previews import tables
from apps.runs.previews.kinds import text
from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    first, _, second = (file.text.value if file.text else "").lstrip().partition("\n")
    if not first.startswith("{") or not second.lstrip().startswith("{"):
        return Evidence.NONE
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return Evidence.NONE
    return Evidence.RECORDS


def _read(file: PreviewFile) -> Preview:
    content = text.read(file)
    table = tables.json_lines(content.text, is_cut=file.is_cut)
    return tables.table_preview("json_lines", file, table) if table else content


KIND: Final = PreviewKind(key="json_lines", suffixes=(".jsonl", ".ndjson"), detect=_detect, read=_read, is_text=True)
