"""The store of library code: what environments' packages ship, once, under the digest of its content.

Nothing of a render is ever in it: a trusted build collects it (render_child/page/asset_index.py). So it may be served
to anybody, and results need not hold it; a download gets it put back in.
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
    """Copies a built environment's assets, and those of every page, into storage; returns how many were new there.

    What is there already is left as it is. A file that is not what its name says is passed over.
    """
    paths = assets.asset_paths(environment_dir / "bin" / "python", [STATIC_DIR])
    return sum(_publish(path, name) for name, path in sorted(paths.items()))


def asset_open(sha256: str, kind: str) -> StoredContent | None:
    """Opens an asset, compared with the digest in its name; None where there is none, or a damaged one.

    Raises:
        StoreAwayError: the store of results does not answer.
    """
    try:
        return stored_open(f"{ROOT}/{sha256}.{kind}", size_bytes=None, sha256=sha256)
    except (FileNotFoundError, DamagedError):
        # A damaged one is in the log, and is replaced by the next worker that starts.
        return None


def asset_compressed(sha256: str, kind: str) -> bytes | None:
    """Returns the gzip of an asset, whose content is compared; None where there is none, or a damaged one.

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
    """Yields a page in which every reference to a stored asset holds the asset itself, as a `data:` URL.

    Memory stays at a few chunks, whatever the page's size and wherever it is cut. Unknown digests stay.
    """
    return assets.inline_assets(chunks, asset_open)


def inline_assets_bytes(html: bytes) -> bytes:
    """Returns a whole page with its assets in it; for pages that are in memory anyhow."""
    return b"".join(inline_assets([html]))


def _publish(path: Path, file_name: str) -> bool:
    name = f"{ROOT}/{file_name}"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file_name.partition(".")[0]:
        logger.warning("%s is not what its name says; build its environment again.", path)
        return False
    sha256, _, kind = file_name.partition(".")
    # The compressed one first: whoever finds the plain one need not ask twice.
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
    """Returns the SHA-256 of a stored file; None where there is none."""
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
        # What a full disk once cut short, or somebody altered.
        default_storage.delete(name)
    saved = default_storage.save(name, ContentFile(content))
    if saved != name:
        # Another process was first; the storage never overwrites.
        default_storage.delete(saved)
