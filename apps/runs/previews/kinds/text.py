"""Plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPreview(Preview):
    """The beginning of a text."""

    preview_kind: str = "text"
    text: str = ""


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.ANY_TEXT if file.text else Evidence.NONE


def read(file: PreviewFile) -> TextPreview:
    """Returns the beginning of a text; other kinds use it for content that they cannot parse."""
    return TextPreview(
        size_bytes=file.known_size,
        is_cut=file.is_cut,
        text=file.text.value if file.text else "",
        note=file.encoding_note,
    )


KIND: Final = PreviewKind(
    key="text",
    detect=_detect,
    read=read,
    is_text=True,
    text_suffixes=frozenset({".txt", ".log", ".yaml", ".yml", ".toml", ".ini", ".py", ".sql", ".xml", ".pbtxt"}),
)
