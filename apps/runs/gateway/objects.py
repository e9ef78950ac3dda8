"""Artifact bytes through the endpoint's own artifact gateway, so that the portal needs no object-store
credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from apps.runs import exceptions
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection

_SOURCES: Final = {
    "minio": "minio",
    "s3": "s3",
    "gs": "gcs",
    "http": "http",
    "https": "https",
    "volume": "volume",
}
_PATH: Final = "/artifacts/get"
_GZIP: Final = b"\x1f\x8b"
_LONGEST_KEY: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactStream:
    """An artifact's bytes, readable once, inside the `with` block that opened it.

    Attributes:
        chunks: the bytes; may raise EndpointDownError when the connection breaks off.
        size_bytes: as announced; None where the gateway did not say.
        content_type: as announced; "" where the gateway did not say (the usual case).
        is_directory: the URI names a folder; the bytes are then a .tar.gz of it.
    """

    chunks: Iterator[bytes]
    size_bytes: int | None
    content_type: str
    is_directory: bool

    def read(self, limit_bytes: int) -> bytes:
        """Returns at most the first `limit_bytes` bytes."""
        found = bytearray()
        for chunk in self.chunks:
            found += chunk
            if len(found) >= limit_bytes:
                break
        return bytes(found[:limit_bytes])


def location(uri: str) -> dict[str, str]:
    """Returns the gateway's query for a URI.

    Raises:
        EndpointError: a scheme the gateway does not know, or no bucket in it.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise exceptions.EndpointError(f"{uri!r} is not a URI.") from error
    source, bucket = _SOURCES.get(parts.scheme.lower()), parts.netloc
    if source is None or not bucket:
        schemes = ", ".join(_SOURCES)
        raise exceptions.EndpointError(
            f"Kubeflow's artifact gateway cannot read {uri or 'an artifact without a URI'}: it knows {schemes}."
        )
    key = parts.path.lstrip("/")
    if source in {"http", "https"}:
        key += f"?{parts.query}" if parts.query else ""
    if len(key) > _LONGEST_KEY:
        raise exceptions.EndpointError(f"The key of {uri[:100]}... is longer than {_LONGEST_KEY} characters.")
    return {"source": source, "bucket": bucket, "key": key}


@contextmanager
def open_artifact(
    connection: Connection, uri: str, *, namespace: str = "", peek: int | None = None
) -> Iterator[ArtifactStream]:
    """Opens an artifact.

    Args:
        connection: whose rights are used.
        uri: as lineage has it.
        namespace: the run's; needed by a multi-user Kubeflow.
        peek: stop after so many bytes. The cut is made here: asked for one itself, the gateway answers a
        folder
            with a line of text that cannot be told from a file's.

    Raises:
        RunsError: not there, refused, no answer, or a scheme the gateway does not know.
    """
    query = location(uri)
    if namespace:
        query["namespace"] = namespace
    with http.open_stream(connection, _PATH, query) as response:
        chunks = http.read_chunks(connection, response)
        head = next(chunks, b"")
        stream = _rest(head, chunks, peek)
        yield ArtifactStream(
            chunks=stream,
            size_bytes=_size(response.headers.get("Content-Length")),
            content_type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
            is_directory=head.startswith(_GZIP) and not uri.endswith((".gz", ".tgz")),
        )


def _rest(head: bytes, chunks: Iterator[bytes], peek: int | None) -> Iterator[bytes]:
    left = peek
    chunk: bytes | None = head
    while chunk:
        if left is not None:
            chunk = chunk[:left]
            left -= len(chunk)
        yield chunk
        if left == 0:
            return
        chunk = next(chunks, None)


def _size(announced: str | None) -> int | None:
    return int(announced) if announced and announced.isdecimal() else None
