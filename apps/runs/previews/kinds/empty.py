"""A file without bytes."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.NONE if file.head or file.is_directory else Evidence.GATEWAY


def _read(_file: PreviewFile) -> Preview:
    return Preview(preview_kind="empty", size_bytes=0)


KIND: Final = PreviewKind(key="empty", detect=_detect, read=_read)
