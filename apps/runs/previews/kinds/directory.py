"""A folder, which the gateway packs into a .tar.gz: the names of its files."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.kinds import archive
from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.GATEWAY if file.is_directory else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    return archive.read(file, preview_kind="directory")


KIND: Final = PreviewKind(key="directory", detect=_detect, read=_read)
