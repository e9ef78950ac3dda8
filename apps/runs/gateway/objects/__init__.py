"""Artifact bytes, by whichever way is set up for their URI: its own store, or the endpoint's artifact gateway."""

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
        connection: whose rights are used where the endpoint is asked.
        uri: as lineage has it; the caller has found it in a run this person may read.
        namespace: the run's; needed by a multi-user Kubeflow.
        peek: stop after so many bytes.
        part: what to read, where `accepts_ranges`; elsewhere all of it comes.

    Raises:
        RunsError: not there, refused, no answer, or no address that can be read.
    """
    address = parse_address(uri)
    reader = store_reader(address, timeout_s=connection.timeout_s)
    if reader is None:
        with endpoint.open_artifact(connection, address, namespace=namespace, peek=peek) as stream:
            yield stream
        return
    yield reader.open_artifact(address, part or Part(length=peek))


def list_artifact(connection: Connection, uri: str, *, namespace: str = "") -> Listing:
    """Returns the files below an artifact that is a folder; none for a file.

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
    """Returns a reader of the store that is responsible for an address; None where the endpoint's gateway is asked.

    Args:
        allowed_prefix: what covers the address of those that an administrator lets people name; None for an artifact.
            A file is then one of this machine, in no store. A web address without a store of its own is read as
            anybody could, within the prefix, and never by way of the endpoint.
    """
    store = store_for(address)
    if allowed_prefix is not None and address.scheme == "file":
        store = StoreConfig(prefix=ObjectAddress(scheme="file", host="", key=""), root="/")
    elif allowed_prefix is not None and address.is_web and store is None:
        store = StoreConfig(prefix=allowed_prefix)
    return StoreReader(store, timeout_s) if store else None
