"""The first picture of a result, for readers without scripts, for thumbnails and for `manage.py visualize`.

A confined process (vizkit/picture.py) makes it on the first request, after the result was delivered, and it is stored
beside the result. A render never waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from renderer import ConfinedLimits, ConfinedTimeoutError, run_confined
from vizkit import PICTURE_PROGRAM

from apps.visualizations.models import Render
from apps.visualizations.services.results import render_folder, result_open

Kind = Literal["svg", "png"]

# A larger page is hardly a chart, and its picture would take long.
MOST_PAGE_BYTES: Final = 16 * 1024**2
MOST_BYTES: Final = 4 * 1024**2
# V8, which draws, reserves terabytes of address space; the program limits its own memory.
_LIMITS: Final = ConfinedLimits(timeout_s=20, address_space_bytes=4096 * 1024**3, output_bytes=MOST_BYTES + 1)
_STARTS: Final = {"png": (b"\x89PNG\r\n\x1a\n",), "svg": (b"<svg", b"<?xml")}
_ENVIRONMENT: Final = "base"
_WAIT_S: Final = 20.0
# One at a time: each takes a core for a second and some hundred megabytes.
_turn = threading.Lock()
_signer = signing.Signer(salt="vizportal.picture")
logger = logging.getLogger(__name__)


class PictureBusyError(Exception):
    """Other pictures are being made, and waiting for them took too long."""


def picture_get(render: Render, kind: Kind) -> bytes:
    """Returns a render's picture, and makes it on the first request.

    The content is untrusted: serve it with scripts and loading forbidden.

    Raises:
        FileNotFoundError: the result has no picture, or is too large for one.
        DamagedError: the stored result does not match what was saved.
        PictureBusyError: others are being made; try again later.
        StoreAwayError: the store does not answer.
    """
    name = f"{render_folder(render)}/{render.attempt}-picture.{kind}"
    content = _read(name)
    if content is None:
        page = result_open(render, "html")
        if page.size_bytes > MOST_PAGE_BYTES:
            page.close()
            raise FileNotFoundError("The result is too large for a picture.")
        if not _turn.acquire(timeout=_WAIT_S):
            page.close()
            raise PictureBusyError
        try:
            content = picture_make(page, kind)
        finally:
            _turn.release()
        _keep(name, content)
    if not content:
        raise FileNotFoundError("The result has no picture.")
    return content


def picture_make(page: Iterable[bytes], kind: Kind) -> bytes:
    """Returns the first picture of a page; b"" if there is none in this format.

    Raises:
        FileNotFoundError: the environment that draws pictures is not built.
    """
    interpreter = Path(settings.VIZPORTAL_ENVIRONMENTS_DIR) / _ENVIRONMENT / "bin" / "python"
    if not interpreter.exists():
        raise FileNotFoundError(f"Build the environment {_ENVIRONMENT} first: it draws pictures.")
    with tempfile.TemporaryDirectory(prefix="vizportal-picture-") as folder:
        with (Path(folder) / "page.html").open("wb") as file:
            file.writelines(page)
        try:
            content = run_confined(
                PICTURE_PROGRAM, ["page.html", kind], interpreter=interpreter, folder=Path(folder), limits=_LIMITS
            )
        except ConfinedTimeoutError as error:
            # Stored as having no picture: retried at each view, it would keep other pictures waiting.
            logger.warning("%s", error)
            return b""
    return content if content.startswith(_STARTS[kind]) and len(content) <= MOST_BYTES else b""


def _read(name: str) -> bytes | None:
    """Returns a stored picture; b"" if there is known to be none, None if it has yet to be made."""
    try:
        with default_storage.open(name, "rb") as file:
            seal, _, content = file.read(MOST_BYTES + 1024).partition(b"\n")
    except FileNotFoundError:
        return None
    if seal.decode("ascii", "replace") != _seal(name, content):
        logger.error("%s: is not what was saved, and is made again", name)
        default_storage.delete(name)
        return None
    return bytes(content)


def _keep(name: str, content: bytes) -> None:
    saved = default_storage.save(name, ContentFile(_seal(name, content).encode() + b"\n" + content))
    if saved != name:
        # Another process was first; the storage never overwrites.
        default_storage.delete(saved)


def _seal(name: str, content: bytes) -> str:
    return _signer.signature(f"{name}:{hashlib.sha256(content).hexdigest()}")
