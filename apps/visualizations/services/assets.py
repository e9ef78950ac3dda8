"""The store of library code: the scripts that environments' packages ship, stored once under their SHA-256.

It never holds render output: a trusted build collects the assets (render_child/page/asset_index.py). They can therefore
be served to anybody, and results do not include them; a download gets them inlined again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import zlib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from renderer import assets
from vizkit import STATIC_DIR

from apps.visualizations.services.stored import DamagedError, StoredContent, known, stored_key, stored_open

logger = logging.getLogger(__name__)
ROOT: Final = "assets"
_MAX_COMPRESSED_BYTES: Final = 32 * 1024**2


def assets_publish(environment_dir: Path) -> int:
    """Copies the assets of a built environment, and those of every page, into storage; returns how many were new.

    Assets that are already stored are left alone. A file whose content does not match its name is skipped.
    """
    paths = assets.asset_paths(environment_dir / "bin" / "python", [STATIC_DIR])
    return sum(_publish(path, name) for name, path in sorted(paths.items()))


def asset_open(sha256: str, kind: str) -> StoredContent | None:
    """Opens an asset and verifies it against the digest in its name; None if it is missing or damaged.

    Raises:
        StoreAwayError: the store of results does not answer.
    """
    try:
        return stored_open(f"{ROOT}/{sha256}.{kind}", size_bytes=None, sha256=sha256)
    except (FileNotFoundError, DamagedError):
        # The damage has been logged; the next worker that starts replaces the file.
        return None


def asset_compressed(sha256: str, kind: str) -> bytes | None:
    """Returns a gzipped asset after verifying its content; None if it is missing or damaged.

    Raises:
        StoreAwayError: the store of results does not answer.
    """
    name = f"{ROOT}/{sha256}.{kind}.gz"
    try:
        with default_storage.open(name, "rb") as file:
            content: bytes = file.read(_MAX_COMPRESSED_BYTES)
            key = stored_key(file, sha256)
    except FileNotFoundError:
        return None
    if not known.has(key):
        if not _is_compressed_form(content, sha256):
            logger.error("%s: is not the compressed form of its name", name)
            return None
        known.add(key)
    return content


def _is_compressed_form(content: bytes, sha256: str) -> bool:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return hashlib.sha256(file.read(assets.MAX_INLINED_BYTES)).hexdigest() == sha256
    except (OSError, EOFError, zlib.error):
        return False


def inline_assets(chunks: Iterable[bytes]) -> Generator[bytes]:
    """Yields a page with each reference to a stored asset replaced by a `data:` URL of the asset.

    Holds only a few chunks in memory, whatever the page's size and chunk boundaries. Unknown digests are left alone.
    """
    return assets.inline_assets(chunks, asset_open)


def inline_assets_bytes(html: bytes) -> bytes:
    """Returns a whole page with its assets inlined, for pages that are already in memory."""
    return b"".join(inline_assets([html]))


def _publish(path: Path, file_name: str) -> bool:
    name = f"{ROOT}/{file_name}"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file_name.partition(".")[0]:
        logger.warning("%s is not what its name says; build its environment again.", path)
        return False
    sha256, _, kind = file_name.partition(".")
    # Store the compressed form first: a reader that finds the plain one can rely on both.
    is_new = asset_compressed(sha256, kind) is None
    if is_new:
        _save(f"{name}.gz", gzip.compress(content, 9, mtime=0))
    if not _is_stored(sha256, kind):
        _save(name, content)
        is_new = True
    return is_new


def _is_stored(sha256: str, kind: str) -> bool:
    content = asset_open(sha256, kind)
    if content is None:
        return False
    try:
        for _ in content:
            pass
    except DamagedError:
        return False
    return True


def _stored_digest(name: str) -> bytes | None:
    """Returns the SHA-256 of a stored file; None if it does not exist."""
    try:
        with default_storage.open(name, "rb") as file:
            return hashlib.sha256(file.read(assets.MAX_INLINED_BYTES)).digest()
    except FileNotFoundError:
        return None


def _save(name: str, content: bytes) -> None:
    if default_storage.exists(name):
        if _stored_digest(name) == hashlib.sha256(content).digest():
            # Another process has just written it.
            return
        # The stored file was cut short by a full disk, or altered.
        default_storage.delete(name)
    saved = default_storage.save(name, ContentFile(content))
    if saved != name:
        # Another process was first; the storage never overwrites.
        default_storage.delete(saved)
