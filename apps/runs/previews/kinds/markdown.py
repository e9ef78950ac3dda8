"""Markdown as sanitised HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.runs.previews import texts
from apps.runs.previews.kinds import text
from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import PreviewFile, PreviewKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownPreview(Preview):
    """Markdown; `markup` is sanitised HTML."""

    preview_kind: str = "markdown"
    markup: str = ""


def _read(file: PreviewFile) -> MarkdownPreview:
    content = text.read(file)
    return MarkdownPreview(
        size_bytes=content.size_bytes,
        is_cut=content.is_cut,
        markup=texts.markdown(content.text),
        note=content.note,
    )


KIND: Final = PreviewKind(
    key="markdown",
    suffixes=(".md", ".markdown"),
    artifact_types=frozenset({"system.Markdown"}),
    read=_read,
    is_text=True,
)
