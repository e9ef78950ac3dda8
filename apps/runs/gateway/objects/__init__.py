"""Artifact bytes by the access configured for their URI: a store of its own, or the endpoint's artifact gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.runs.gateway.connection import Connection
from apps.runs.gateway.objects import endpoint
from apps.runs.gateway.objects.address import ObjectAddress, parse_address
from apps.runs.gateway.objects.reader import StoreReader
from apps.runs.gateway.objects.shapes import ArtifactStream, Entry, Facts, Listing, Part
from apps.runs.gateway.objects.stores import StoreConfig, store_for

__all__ = [
    "ArtifactStream",
    "Entry",
    "Facts",
    "Listing",
    "Part",
    "StoreReader",
    "list_artifact",
    "open_artifact",
    "store_reader",
]


@contextmanager
def open_artifact(
    connection: Connection, uri: str, *, namespace: str = "", peek: int | None = None, part: Part | None = None
) -> Iterator[ArtifactStream]:
    """Opens an artifact.

    Args:
        connection: whose permissions are used if the endpoint is asked.
        uri: as in lineage; the caller must have found it in a run that this person may read.
        namespace: the run's; required by a multi-user Kubeflow.
        peek: stop after this many bytes.
        part: which part to read, if the stream `accepts_ranges`; otherwise everything is returned.

    Raises:
        RunsError: the artifact does not exist, access is refused, no answer, or the address cannot be read.
    """
    address = parse_address(uri)
    reader = store_reader(address, timeout_s=connection.timeout_s)
    if reader is None:
        with endpoint.open_artifact(connection, address, namespace=namespace, peek=peek) as stream:
            yield stream
        return
    yield reader.open_artifact(address, part or Part(length=peek))


def list_artifact(connection: Connection, uri: str, *, namespace: str = "") -> Listing:
    """Returns the files below an artifact that is a folder; empty for a file.

    Raises:
        RunsError: as `open_artifact`.
    """
    address = parse_address(uri)
    reader = store_reader(address, timeout_s=connection.timeout_s)
    if reader is None:
        return endpoint.list_artifact(connection, address, namespace=namespace)
    return reader.list_artifact(address)


def store_reader(
    address: ObjectAddress, *, allowed_prefix: ObjectAddress | None = None, timeout_s: float
) -> StoreReader | None:
    """Returns a reader of the store responsible for an address; None if the endpoint's gateway has to be asked.

    Args:
        address: of the object.
        allowed_prefix: the prefix covering the address among those that an administrator lets people name; None for an
            artifact. With it, a file is one on this machine and in no store, and a web address without a store is read
            without a credential, within the prefix, and never through the endpoint.
        timeout_s: maximum time to wait for the store.
    """
    store = store_for(address)
    if allowed_prefix is not None and address.scheme == "file":
        store = StoreConfig(prefix=ObjectAddress(scheme="file", host="", key=""), root="/")
    elif allowed_prefix is not None and address.is_web and store is None:
        store = StoreConfig(prefix=allowed_prefix)
    return StoreReader(store, timeout_s) if store else None
