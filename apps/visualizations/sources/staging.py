"""The only way for a source to reach a render: from wherever it is into the render's input directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from apps.runs.exceptions import EndpointDownError, ForbiddenError, RunsError
from apps.runs.gateway import Gateway, ObjectAddress, StoreReader, parse_address, store_reader
from apps.runs.gateway.objects.shapes import NotRegularFileError, TooManyEntriesError
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import address_allow, address_parse, parts_below, parts_split, pattern_split
from apps.visualizations.sources.artifacts import artifact_fetch
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import Download, FetchedSource, listing_version, safe_name
from apps.visualizations.sources.objects import objects_fetch, objects_version, source_name
from apps.visualizations.states import Reason

_STORE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """A render's source.

    Attributes:
        uri: the artifact's, or one that a person named.
        artifact_uri: the URI of the step's artifact that is, or contains, the source; "" if the administrator's list
            decides.
        metadata: the artifact's metadata if that is its data (metrics of Kubeflow); then nothing else is read.
        name: the artifact's name, used for the file of its metadata.
    """

    uri: str
    artifact_uri: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


def source_stage(
    wanted: SourceSpec,
    download: Download,
    *,
    gateway: Callable[[], Gateway],
    cache: SourceCache,
    allowed: Iterable[str],
) -> FetchedSource:
    """Fetches a source.

    Args:
        gateway: returns a gateway to the endpoint with the requester's permissions; called only if needed.
        allowed: prefixes that people may name (VIZPORTAL_SOURCE_ALLOW).

    Raises:
        SourceError: the source cannot be fetched; code and message say why.
    """
    if wanted.metadata:
        text = json.dumps(wanted.metadata, ensure_ascii=False)
        return download.done(str(download.save(f"{safe_name(wanted.name)}.json", [text.encode()])))
    with _errors():
        place = _locate(wanted, allowed)
        if place.reader is None:
            return artifact_fetch(gateway(), place.uri, download, folder=place.folder, pattern=place.pattern)
        with _unreachable():
            return objects_fetch(
                place.reader, place.address, download, cache if place.is_kept else None, pattern=place.pattern
            )


def source_version(wanted: SourceSpec, *, gateway: Callable[[], Gateway], allowed: Iterable[str]) -> str:
    """Returns a version that identifies the source's content without reading it; "" if nothing does.

    It is made of names, sizes and the stores' versions (ETag, generation, modification time). A file read through
    Kubeflow has only a size, and a folder not even that. `FetchedSource.version` is the version of what was read.

    Raises:
        SourceError: the source does not exist or cannot be checked; the code says which.
    """
    if wanted.metadata:
        return ""
    with _errors():
        place = _locate(wanted, allowed)
        if place.reader is not None:
            with _unreachable():
                return objects_version(place.reader, place.address, pattern=place.pattern)
        asked = gateway()
        with asked.open_artifact(place.uri, namespace=asked.endpoint.namespace) as stream:
            is_file = not (stream.is_directory or place.folder or place.pattern)
            return listing_version([(source_name(place.address), stream.size_bytes, "")]) if is_file else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The location of a source.

    Attributes:
        reader: reads the store directly; None if the endpoint is asked for `uri`.
        folder, pattern: the wanted part of the object at `uri`; with a reader, `address` already includes `folder`.
        is_kept: whether the content may be cached for later renders.
    """

    reader: StoreReader | None
    address: ObjectAddress
    uri: str
    folder: tuple[str, ...] = ()
    pattern: tuple[str, ...] = ()
    is_kept: bool = True


def _locate(wanted: SourceSpec, allowed: Iterable[str]) -> _Place:
    parts = parts_below(wanted.uri, wanted.artifact_uri)
    if parts is None:
        # Checked at the request already, but the list may have become shorter since.
        address = address_parse(wanted.uri)
        prefix = address_allow(address, allowed)
        base, pattern = pattern_split(address)
        reader = store_reader(base, allowed_prefix=prefix, timeout_s=_STORE_TIMEOUT_S)
        return _Place(reader=reader, address=base, uri=base.uri, pattern=pattern, is_kept=base.scheme != "file")
    folder, pattern = parts_split(parts)
    artifact = parse_address(wanted.artifact_uri)
    reader = store_reader(artifact, timeout_s=_STORE_TIMEOUT_S)
    address = artifact.below("/".join(folder)) if folder and reader is not None else artifact
    return _Place(reader=reader, address=address, uri=wanted.artifact_uri, folder=folder, pattern=pattern)


@contextmanager
def _unreachable() -> Iterator[None]:
    """Distinguishes an unreachable store or web server from an unreachable Kubeflow."""
    try:
        yield
    except EndpointDownError as error:
        raise SourceError(str(error), code=Reason.SOURCE_UNREACHABLE) from error


@contextmanager
def _errors() -> Iterator[None]:
    """Turns errors of Kubeflow or a store into SourceErrors."""
    try:
        yield
    except EndpointDownError as error:
        raise SourceError(str(error), code=Reason.ENDPOINT_DOWN) from error
    except TooManyEntriesError as error:
        raise SourceError(str(error), code=Reason.SOURCE_TOO_BIG) from error
    except (ForbiddenError, NotRegularFileError) as error:
        raise SourceError(str(error), code=Reason.SOURCE_REFUSED) from error
    except RunsError as error:
        raise SourceError(str(error), code=Reason.SOURCE_MISSING) from error
