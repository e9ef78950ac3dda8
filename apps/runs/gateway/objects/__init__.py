"""Artifact bytes, by whichever way is set up for their URI: its own store, or the endpoint's artifact gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.runs.gateway.connection import Connection
from apps.runs.gateway.objects import direct, endpoint
from apps.runs.gateway.objects.address import parse
from apps.runs.gateway.objects.shapes import ArtifactStream, Entry, Listing, Part
from apps.runs.gateway.objects.stores import store_for

__all__ = ["ArtifactStream", "Entry", "Listing", "Part", "list_artifact", "open_artifact"]


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
