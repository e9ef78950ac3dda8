"""The store of library code: what environments' packages ship, once, under the digest of its content.

Nothing of a render is ever in it: a trusted build collects it (render_child/page/asset_index.py). So it may be served
to anybody, and results need not hold it; a download gets it put back in.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import logging
import re
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from renderer.environments import PAGE_ASSETS_DIR, assets_dir
from vizkit import STATIC_DIR

from apps.visualizations.services.stored import DamagedError, StoredContent, known, stored_key, stored_open

logger = logging.getLogger(__name__)
ROOT: Final = "assets"
CONTENT_TYPES: Final = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
_NAME: Final = re.compile(r"[0-9a-f]{64}\.(?:js|css)")
# In quotes: an attribute, or a string in a script. Text that only mentions an address is left alone.
# It begins with what is rare, and the quote before is looked at afterwards: seven times as fast as the other way.
_REFERENCE: Final = re.compile(rb"""/assets/([0-9a-f]{64})\.(js|css)(?=\\?(["']))""")
# One byte less than the longest reference, its closing quote included: so much may wait for the next chunk.
_HELD_BYTES: Final = len("\"/assets/.css\\'") + 64 - 1
# Libraries of a page come to some 10 MB. A page made to name one a million times is not to fill the reader's disk.
_MAX_INLINED_BYTES: Final = 256 * 1024**2
_MAX_COMPRESSED_BYTES: Final = 32 * 1024**2


def assets_publish(environment_dir: Path) -> int:
    """Copies a built environment's assets, and those of every page, into storage; returns how many were new there.

    What is there already is left as it is. A file that is not what its name says is passed over.
    """
    directory = assets_dir(environment_dir / "bin" / "python")
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    count = sum(_publish(path, path.name) for path in paths if _NAME.fullmatch(path.name))
    for path in (path for folder in (PAGE_ASSETS_DIR, STATIC_DIR) for path in sorted(folder.iterdir())):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        count += _publish(path, f"{digest}{path.suffix}")
    return count


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
            return hashlib.sha256(file.read(_MAX_INLINED_BYTES)).hexdigest() == sha256
    except (OSError, EOFError, zlib.error):
        return False


def inline_assets(chunks: Iterable[bytes]) -> Generator[bytes]:
    """Yields a page in which every reference to a stored asset holds the asset itself, as a `data:` URL.

    Memory stays at a few chunks, whatever the page's size and wherever it is cut. Unknown digests stay.
    """
    held, left = b"", _MAX_INLINED_BYTES
    for chunk in chunks:
        text = held + chunk
        position = 0
        for match in _REFERENCE.finditer(text):
            is_quoted = text[match.start() - 1 : match.start()] == match[3]
            file = asset_open(match[1].decode(), match[2].decode()) if is_quoted and left > 0 else None
            if file is None:
                continue
            left -= file.size_bytes
            yield text[position : match.start()]
            yield from _data_url(file, match[2].decode())
            position = match.end()
        keep = max(position, len(text) - _HELD_BYTES)
        yield text[position:keep]
        held = text[keep:]
    yield held


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
            return hashlib.sha256(file.read(_MAX_INLINED_BYTES)).digest()
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


def _data_url(file: StoredContent, kind: str) -> Iterator[bytes]:
    yield f"data:{CONTENT_TYPES[kind].replace(' ', '')};base64,".encode()
    rest = b""
    for chunk in file:
        content = rest + chunk
        cut = len(content) - len(content) % 3
        yield base64.b64encode(content[:cut])
        rest = content[cut:]
    yield base64.b64encode(rest)
