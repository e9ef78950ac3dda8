"""Artifact bytes, by whichever way is set up for their URI: its own store, or the endpoint's artifact gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.runs.gateway.connection import Connection
from apps.runs.gateway.objects import direct, endpoint
from apps.runs.gateway.objects.address import parse
from apps.runs.gateway.objects.direct import StoreReader
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
    address = parse(uri)
    store = store_for(address)
    if store is None:
        with endpoint.open_artifact(connection, uri, namespace=namespace, peek=peek) as stream:
            yield stream
        return
    wanted = part or Part(length=peek)
    yield direct.open_artifact(store, address, wanted, connection.timeout_s)


def store_reader(uri: str, *, allowed_prefix: str = "", timeout_s: float) -> StoreReader | None:
    """Returns a reader of the store that is responsible for a URI; None where the endpoint's own gateway is asked.

    Args:
        allowed_prefix: of web addresses that an administrator lets people name: without a store of its own such an
            address is read as anybody could, within the prefix, and never by way of the endpoint.

    Raises:
        EndpointError: no address that can be read.
    """
    store = store_for(parse(uri))
    if store is None and allowed_prefix.startswith("https://"):
        store = StoreConfig(prefix=parse(allowed_prefix))
    return StoreReader(store, timeout_s) if store else None


def list_artifact(connection: Connection, uri: str, *, namespace: str = "") -> Listing:
    """Returns the files below an artifact that is a folder; none for a file.

    Raises:
        RunsError: as `open_artifact`.
    """
    address = parse(uri)
    store = store_for(address)
    if store is None:
        return endpoint.list_artifact(connection, uri, namespace=namespace)
    return direct.list_artifact(store, address, connection.timeout_s)
