"""Storage of static files: shortens the portal's own scripts and compresses all files with Brotli and gzip.

`collectstatic` does it, so no other tool has to run first. Browsers accept Brotli over HTTPS and from this machine.
"""

from __future__ import annotations

from typing import Any, Final

import brotli
from django.core.files.base import ContentFile
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# The editor and the API's page are longer, and load only where they are used. Brotli's best level takes seconds for
# them, which would delay every start.
_LONG_BYTES: Final = 60_000


def script_shorten(text: str) -> str:
    """Returns a script without comment lines, empty lines and indentation.

    Line breaks stay, so the script need not be parsed. Scripts have no template literals over several lines, in which
    white space would count (tests/portal/test_page_scripts.py).
    """
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


class _QuickCompressor(Compressor):  # type: ignore[misc]
    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return bytes(brotli.compress(data, quality=11 if len(data) < _LONG_BYTES else 5))


class ShorteningStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, with the scripts of `static/js` shortened. File names are those of the originals."""

    def _save(self, name: str, content: Any) -> str:
        if name.startswith("js/") and name.endswith(".js"):
            # `chunks` starts from the beginning, although the file was already read to compute its name.
            content = ContentFile(script_shorten(b"".join(content.chunks()).decode()).encode())
        saved: str = super()._save(name, content)
        return saved

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Returns the compressor of the files."""
        return _QuickCompressor(**kwargs)
