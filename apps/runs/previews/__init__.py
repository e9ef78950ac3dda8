"""Previews of artifacts without a render. Name, type and size decide the kind before the bytes are read.

A preview kind is a module in `kinds` and a template in templates/runs/previews/; `registry` finds it.
"""

from __future__ import annotations

from apps.runs.previews.archives import GZIP_MAGIC
from apps.runs.previews.downloads import download_name, media_type
from apps.runs.previews.file_names import unpacked_name
from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, PEEK_BYTES, Preview
from apps.runs.previews.reading import Content, content, preview
from apps.runs.previews.registry import kind_of_type, played_type, preview_kinds
from apps.runs.previews.source import UNLIMITED, Source
from apps.runs.previews.tables import TablePreview

__all__ = [
    "GZIP_MAGIC",
    "LARGEST_WHOLE_BYTES",
    "PEEK_BYTES",
    "UNLIMITED",
    "Content",
    "Preview",
    "Source",
    "TablePreview",
    "content",
    "download_name",
    "kind_of_type",
    "media_type",
    "played_type",
    "preview",
    "preview_kinds",
    "unpacked_name",
]
