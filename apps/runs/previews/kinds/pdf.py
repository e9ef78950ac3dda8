"""PDF, drawn by the browser's own viewer."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    # By its first bytes only: its frame has no sandbox (docs/previews.md).
    return Evidence.SIGNATURE if file.head.startswith(b"%PDF-") else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    return Preview(preview_kind="pdf", size_bytes=file.known_size, is_cut=file.is_cut)


KIND: Final = PreviewKind(
    key="pdf",
    detect=_detect,
    read=_read,
    largest_bytes=LARGEST_WHOLE_BYTES,
    media_type=lambda _: "application/pdf",
)
