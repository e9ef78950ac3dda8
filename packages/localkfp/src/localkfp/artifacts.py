"""GET /artifacts/get: the bytes behind an artifact's URI, as Kubeflow's UI server returns them."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from localkfp.calls import Call
from localkfp.places import SCHEMES, OutsideError

_CHUNK_BYTES: Final = 256 * 1024
_LONGEST_KEY: Final = 1024
_FOLDER_TEXT: Final = "This artifact is a directory. Download it to see what is in it.\n"


def get_artifact(call: Call) -> Response:
    """Returns a file's bytes, a folder as .tar.gz, or 404 as plain text.

    As in Kubeflow, the content type is generic, and `peek=N` returns the first N bytes; for a folder, one line of text.
    """
    source, bucket, key = (call.query.get(name, "") for name in ("source", "bucket", "key"))
    if len(key) > _LONGEST_KEY:
        return PlainTextResponse("Object key too long", status_code=500)
    if source not in SCHEMES:
        return PlainTextResponse(f"Unknown storage source: {source}", status_code=404)
    try:
        path = call.places.object_path(bucket, key)
    except OutsideError as error:
        return PlainTextResponse(f"Failed to get object: {error}", status_code=404)
    if path.exists():
        return _answer(path, call.query.get("peek", ""))
    return PlainTextResponse(f"Failed to get object: {source}://{bucket}/{key} does not exist", status_code=404)


def _answer(path: Path, peek: str) -> Response:
    if path.is_file():
        limit = int(peek) if peek.isdecimal() else None
        return StreamingResponse(read_chunks(path, limit), media_type="application/octet-stream")
    if peek:
        return PlainTextResponse(_FOLDER_TEXT)
    return StreamingResponse(_tar(path), media_type="application/gzip")


def read_chunks(path: Path, limit: int | None = None) -> Iterator[bytes]:
    """Yields a file's current content; ignores bytes that are appended meanwhile.

    Args:
        path: the file.
        limit: stop after this many bytes; None for all.
    """
    left = path.stat().st_size if limit is None else limit
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk


def _tar(folder: Path) -> Iterator[bytes]:
    """Packs the folder into a temporary file first, so that a vanishing file cannot break a response already begun."""
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            # Names are relative to the folder, as in the archives of Kubeflow's UI server.
            for child in sorted(folder.iterdir()):
                archive.add(child, arcname=child.name, filter=_plain)
        packed.seek(0)
        while chunk := packed.read(_CHUNK_BYTES):
            yield chunk


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Drops links and devices, which could refer to files outside, and removes the files' owners."""
    if not (member.isfile() or member.isdir()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
