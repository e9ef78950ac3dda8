"""Artifact bytes through the endpoint's own artifact gateway: the portal then needs no object-store credentials."""

from __future__ import annotations

import itertools
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from apps.runs import exceptions
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.objects.shapes import ArtifactStream, Entry, Listing

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
_MOST_ENTRIES: Final = 1000
_MOST_UNPACKED_BYTES: Final = 256 * 1024**2


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


def list_artifact(connection: Connection, uri: str, *, namespace: str = "") -> Listing:
    """Returns the files of a folder, by the .tar.gz that the gateway makes of it; nothing for a file.

    Raises:
        RunsError: as `open_artifact`.
    """
    with open_artifact(connection, uri, namespace=namespace) as stream:
        if not stream.is_directory:
            return Listing(entries=())
        reader = _Unpacked(stream.chunks)
        found: list[Entry] = []
        try:
            with tarfile.open(fileobj=reader, mode="r|") as archive:  # type: ignore[call-overload]
                members = (member for member in archive if member.isreg())
                found = [
                    Entry(path=member.name.lstrip("./"), size_bytes=member.size)
                    for member in itertools.islice(members, _MOST_ENTRIES + 1)
                ]
        except (tarfile.TarError, EOFError, zlib.error) as error:
            if not reader.is_cut:
                raise exceptions.EndpointError("The folder arrived damaged. Try again.") from error
    entries = tuple(sorted(found[:_MOST_ENTRIES], key=lambda entry: entry.path))
    return Listing(entries=entries, is_cut=reader.is_cut or len(found) > _MOST_ENTRIES)


class _Unpacked:
    """A .gz as a file to read from, up to a limit."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._kept = bytearray()
        self._left = _MOST_UNPACKED_BYTES
        self.is_cut = False

    def read(self, size: int) -> bytes:
        while len(self._kept) < size and not self.is_cut:
            packed = self._inflater.unconsumed_tail or next(self._chunks, b"")
            if not packed:
                break
            plain = self._inflater.decompress(packed, 1024**2)
            self._left -= len(plain)
            self._kept += plain
            self.is_cut = self._left <= 0
        found = bytes(self._kept[:size])
        del self._kept[: len(found)]
        return found
