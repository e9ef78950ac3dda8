"""Images, drawn by the browser."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

_MEDIA_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    # An SVG document can contain scripts, so it is served with the sandbox's policy only.
    ".svg": "image/svg+xml",
}
_SIGNATURES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def _signed_type(head: bytes) -> str:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((name for magic, name in _SIGNATURES if head.startswith(magic)), "")


def _detect(file: PreviewFile) -> Evidence:
    is_image = _signed_type(file.head) or file.content_type.startswith("image/")
    return Evidence.MEDIA if is_image else Evidence.NONE


def _media_type(file: PreviewFile) -> str:
    return _signed_type(file.head) or _MEDIA_TYPES.get(file.suffix, "") or file.content_type


def _read(file: PreviewFile) -> Preview:
    return Preview(preview_kind="image", size_bytes=file.known_size, is_cut=file.is_cut)


KIND: Final = PreviewKind(
    key="image",
    suffixes=tuple(_MEDIA_TYPES),
    detect=_detect,
    read=_read,
    largest_bytes=LARGEST_WHOLE_BYTES,
    media_type=_media_type,
)
