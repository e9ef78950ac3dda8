"""Images small enough to have many on one page."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass
from typing import Any, Final

from . import embedding

_KEEP_BYTES: Final = 40_000
_ANIMATED_BYTES: Final = 400_000
_MAX_PIXELS: Final = 100_000_000
_DATA_URL: Final = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
# The first characters of PNG, JPEG, GIF and WebP in base64.
_BASE64_STARTS: Final = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")


@dataclass(frozen=True)
class Picture:
    """An image for the page.

    Attributes:
        url: a data URL with the image.
        width, height: of the original, in pixels; 0 if unknown.
        is_reduced: whether the page has a smaller image than the original.
    """

    url: str
    width: int = 0
    height: int = 0
    is_reduced: bool = False


def thumbnail(content: bytes, side: int) -> Picture | None:
    """Returns an image of at most `side` pixels in width and height; None if it cannot be read.

    Small images, SVGs and short animations stay unchanged; without Pillow, so does everything.
    """
    kind = embedding.image_type(content)
    if kind == "image/svg+xml":
        return Picture(embedding.data_url(content, kind)) if len(content) <= embedding.MAX_FILE_BYTES else None
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return Picture(embedding.data_url(content, kind)) if kind else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                width, height = opened.size
                if width * height > _MAX_PIXELS:
                    return None
                limit = _ANIMATED_BYTES if getattr(opened, "is_animated", False) else _KEEP_BYTES
                if kind and len(content) <= limit:
                    return Picture(embedding.data_url(content, kind), width, height)
                # A camera's image may be stored rotated, with a corresponding tag.
                reduced: Any = ImageOps.exif_transpose(opened)
                reduced.thumbnail((side, side))
                return Picture(_encode(reduced), width, height, is_reduced=max(width, height) > side)
    # A damaged image makes Pillow raise whatever its decoder hits first.
    except Exception:  # noqa: BLE001
        return None


def _encode(image: Any) -> str:
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    buffer = io.BytesIO()
    if has_alpha:
        image.convert("RGBA").save(buffer, "PNG", optimize=True)
        return embedding.data_url(buffer.getvalue(), "image/png")
    image.convert("RGB").save(buffer, "JPEG", quality=82)
    return embedding.data_url(buffer.getvalue(), "image/jpeg")


def is_image(content: bytes) -> bool:
    """Whether bytes are an image that can be shown, judging by the first ones."""
    return bool(embedding.image_type(content)) or content[:2] == b"BM" or content[:4] in {b"II*\x00", b"MM\x00*"}


def decode(value: Any) -> bytes | None:
    """Returns the image in a table's cell; None if it contains none.

    A cell is bytes, base64 text, a data URL, or `{"bytes": ..., "path": ...}` as in Hugging Face's data sets.
    """
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return content if is_image(content) else None
    if not isinstance(value, str):
        return None
    found = _DATA_URL.match(value)
    text = value[found.end() :] if found else value
    if not found and not text.startswith(_BASE64_STARTS):
        return None
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if is_image(content) else None
