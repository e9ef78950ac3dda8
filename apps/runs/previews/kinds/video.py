"""Video, played by the browser; recognized by its first bytes only."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

# The same box starts pictures (AVIF, HEIC) and sound; these brands are for video (mp4ra.org).
_MP4_BRANDS: Final = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"qt  ")
_EBML: Final = b"\x1a\x45\xdf\xa3"


def played_type(head: bytes) -> str:
    """Returns the media type of video that browsers play; "" for anything else."""
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return "video/mp4"
    # Matroska starts the same way; the first elements name the format.
    return "video/webm" if head.startswith(_EBML) and b"webm" in head[:64] else ""


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.SIGNATURE if played_type(file.head) else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    return Preview(preview_kind="video", size_bytes=file.known_size)


KIND: Final = PreviewKind(key="video", detect=_detect, read=_read, played_type=played_type)
