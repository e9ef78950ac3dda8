"""What of an artifact can be shown at once: decided from its name, type and size before its bytes are read."""

from __future__ import annotations

from apps.runs.previews.kinds import IMAGE_TYPES, download_name, image_type, kind_of, media_type, suffix_of
from apps.runs.previews.reading import Content, content, preview
from apps.runs.previews.shapes import LARGEST_WHOLE_BYTES, PEEK_BYTES, Kind, Member, NotebookCell, Preview
from apps.runs.previews.texts import markdown

__all__ = [
    "IMAGE_TYPES",
    "LARGEST_WHOLE_BYTES",
    "PEEK_BYTES",
    "Content",
    "Kind",
    "Member",
    "NotebookCell",
    "Preview",
    "content",
    "download_name",
    "image_type",
    "kind_of",
    "markdown",
    "media_type",
    "preview",
    "suffix_of",
]
