"""HTML, drawn by the browser in a sandboxed frame."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    start = (file.text.value if file.text else "").lstrip()[:15].lower()
    return Evidence.FIRST_CHARACTERS if start.startswith(("<!doctype html", "<html")) else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    return Preview(preview_kind="html", size_bytes=file.known_size, is_cut=file.is_cut)


KIND: Final = PreviewKind(
    key="html",
    suffixes=(".html", ".htm"),
    artifact_types=frozenset({"system.HTML"}),
    detect=_detect,
    read=_read,
    largest_bytes=LARGEST_WHOLE_BYTES,
    media_type=lambda _: "text/html; charset=utf-8",
)
