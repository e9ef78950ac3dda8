"""Artifacts of a run, streamed through the gateway; a directory arrives as one tar and is unpacked within limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from apps.runs.gateway.objects.archives import unpack
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.download import Download, FetchedSource, safe_name, safe_path
from apps.visualizations.states import Reason

if TYPE_CHECKING:
    from apps.runs.gateway import Gateway

# How much a tar may hold beside its files.
_MOST_HEADER_BYTES: Final = 8 * 1024**2


def artifact_fetch(gateway: Gateway, uri: str, download: Download, *, pattern: tuple[str, ...] = ()) -> FetchedSource:
    """Streams the object (or directory) at `uri` into the download, through the endpoint's artifact gateway.

    Args:
        gateway: with the rights of who asked, or of the portal.
        pattern: of a folder, only the files that fit it are kept.

    Raises:
        SourceError: `source_missing`, or a limit.
        RunsError: Kubeflow does not give it, or a folder arrives damaged.
    """
    name = safe_name(uri.rstrip("/").rpartition("/")[2])
    with gateway.open_artifact(uri, namespace=gateway.endpoint.namespace) as stream:
        if stream.is_directory:
            _save_folder(iter(stream.chunks), download, pattern)
            return download.done_matches(len(pattern)) if pattern else download.done(str(download.directory))
        if pattern:
            raise SourceError(f"{uri} is one file, and no folder that a pattern could look into.")
        download.check_size(stream.size_bytes)
        path = download.save(name, stream.chunks)
        return download.done(str(path))


def _save_folder(chunks: Iterator[bytes], download: Download, pattern: tuple[str, ...]) -> None:
    def check(read_bytes: int) -> None:
        download.check_time()
        if read_bytes > download.max_bytes + _MOST_HEADER_BYTES:
            raise SourceError(f"The source has more than {download.max_bytes:,} bytes.", code=Reason.SOURCE_TOO_BIG)

    saved = 0
    for file in unpack(chunks, check):
        if not pattern or pattern_fits(pattern, file.parts):
            download.check_size(file.size_bytes)
            download.save(safe_path(file.parts), file.chunks)
            saved += 1
    if pattern and not saved:
        raise SourceError(f"No file of the folder fits {'/'.join(pattern)}.", code=Reason.SOURCE_MISSING)
