"""The one way by which a source reaches a render: from wherever it is, into the render's input directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from apps.runs.exceptions import EndpointDownError, ForbiddenError, RunsError
from apps.runs.gateway import Gateway, ObjectAddress, parse_address, store_reader
from apps.runs.gateway.objects.shapes import NotRegularFileError, TooManyEntriesError
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import address_allow, address_parse, parts_below, parts_split, pattern_split
from apps.visualizations.sources.artifacts import artifact_fetch
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import Download, FetchedSource, safe_name
from apps.visualizations.sources.objects import objects_fetch
from apps.visualizations.states import Reason

_STORE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """What a render reads.

    Attributes:
        uri: of the artifact, or what a person named.
        artifact_uri: the artifact of the very step that it is, or in whose folder it lies; "" where the
            administrator's list decides.
        metadata: the artifact's, where that is its data (metrics of Kubeflow); then nothing else is read.
        name: the artifact's, for the file of its metadata.
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
    """Brings a source.

    Args:
        gateway: makes the gateway to the endpoint, with the rights of who asked; called only where it is needed.
        allowed: prefixes of what people may name (VIZPORTAL_SOURCE_ALLOW).

    Raises:
        SourceError: it cannot be brought; the code and the text say why.
    """
    if wanted.metadata:
        text = json.dumps(wanted.metadata, ensure_ascii=False)
        return download.done(str(download.save(f"{safe_name(wanted.name)}.json", [text.encode()])))
    with _errors():
        parts = parts_below(wanted.uri, wanted.artifact_uri)
        if parts is None:
            # Checked when it was asked for; the list may have become shorter since.
            address = address_parse(wanted.uri)
            return _named(address, address_allow(address, allowed), download, gateway, cache)
        folder, pattern = parts_split(parts)
        artifact = parse_address(wanted.artifact_uri)
        reader = store_reader(artifact, timeout_s=_STORE_TIMEOUT_S)
        if reader is None:
            return artifact_fetch(gateway(), wanted.artifact_uri, download, folder=folder, pattern=pattern)
        address = artifact.below("/".join(folder)) if folder else artifact
        with _unreachable():
            return objects_fetch(reader, address, download, cache, pattern=pattern)


def _named(
    address: ObjectAddress,
    prefix: ObjectAddress,
    download: Download,
    gateway: Callable[[], Gateway],
    cache: SourceCache,
) -> FetchedSource:
    base, pattern = pattern_split(address)
    reader = store_reader(base, allowed_prefix=prefix, timeout_s=_STORE_TIMEOUT_S)
    if reader is None:
        return artifact_fetch(gateway(), base.uri, download, pattern=pattern)
    with _unreachable():
        return objects_fetch(reader, base, download, None if base.scheme == "file" else cache, pattern=pattern)


@contextmanager
def _unreachable() -> Iterator[None]:
    """Tells a store or web server that does not answer from a Kubeflow that does not."""
    try:
        yield
    except EndpointDownError as error:
        raise SourceError(str(error), code=Reason.SOURCE_UNREACHABLE) from error


@contextmanager
def _errors() -> Iterator[None]:
    """Says what Kubeflow or a store answered as a source's fault."""
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
