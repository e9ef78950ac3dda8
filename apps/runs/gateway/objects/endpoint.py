"""Artifact bytes through the endpoint's own artifact gateway: the portal needs no object-store credentials."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from apps.runs import exceptions
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.objects import archives
from apps.runs.gateway.objects.address import ObjectAddress
from apps.runs.gateway.objects.shapes import MOST_LISTED, ArtifactStream, Entry, Listing

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
_MOST_UNPACKED_BYTES: Final = 256 * 1024**2


def location(address: ObjectAddress) -> dict[str, str]:
    """Returns the gateway's query for an address.

    Raises:
        EndpointError: the gateway does not know the scheme, or the address has no bucket.
    """
    source = _SOURCES.get(address.scheme)
    if source is None or not address.host:
        named = address.uri if address.scheme else address.key or "an artifact without a URI"
        raise exceptions.EndpointError(
            f"Kubeflow's artifact gateway cannot read {named}: it knows {', '.join(_SOURCES)}."
        )
    key = address.web_path if address.is_web else address.key
    if len(key) > _LONGEST_KEY:
        raise exceptions.EndpointError(f"The key of {address.uri[:100]}... is longer than {_LONGEST_KEY} characters.")
    return {"source": source, "bucket": address.host, "key": key}


@contextmanager
def open_artifact(
    connection: Connection, address: ObjectAddress, *, namespace: str = "", peek: int | None = None
) -> Iterator[ArtifactStream]:
    """Opens an artifact.

    Args:
        connection: whose permissions are used.
        address: of the artifact.
        namespace: the run's; required by a multi-user Kubeflow.
        peek: stop after this many bytes. The stream is cut here, because the gateway's own option answers a folder with
            a line of text that looks like a file's content.

    Raises:
        RunsError: the artifact does not exist, access is refused, no answer, or the gateway does not know the scheme.
    """
    query = location(address)
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
            is_directory=head.startswith(_GZIP) and not address.key.endswith((".gz", ".tgz")),
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


class _CutError(Exception):
    """A folder is too large to be listed completely."""


def list_artifact(connection: Connection, address: ObjectAddress, *, namespace: str = "") -> Listing:
    """Returns the files of a folder, from the .tar.gz that the gateway makes of it; empty for a file.

    Raises:
        RunsError: as `open_artifact`.
    """

    def check(read_bytes: int) -> None:
        if read_bytes > _MOST_UNPACKED_BYTES:
            raise _CutError

    with open_artifact(connection, address, namespace=namespace) as stream:
        if not stream.is_directory:
            return Listing(entries=())
        found: list[Entry] = []
        is_cut = False
        try:
            for file in itertools.islice(archives.unpack(stream.chunks, check), MOST_LISTED + 1):
                path = "/".join(file.parts)
                found.append(Entry(path=path, size_bytes=file.size_bytes))
        except _CutError:
            is_cut = True
    entries = tuple(sorted(found[:MOST_LISTED], key=lambda entry: entry.path))
    return Listing(entries=entries, is_cut=is_cut or len(found) > MOST_LISTED)
