"""Artifacts streamed through the gateway; a directory arrives as one tar and is unpacked within limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apps.runs.gateway.objects.archives import unpack
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources.addresses import pattern_fits
from apps.visualizations.sources.download import Download, FetchedSource, safe_name, safe_path
from apps.visualizations.states import Reason

if TYPE_CHECKING:
    from apps.runs.gateway import Gateway

# Allowance for tar headers, on top of the files' bytes.
_MOST_HEADER_BYTES: Final = 8 * 1024**2


def artifact_fetch(
    gateway: Gateway,
    uri: str,
    download: Download,
    *,
    folder: tuple[str, ...] = (),
    pattern: tuple[str, ...] = (),
) -> FetchedSource:
    """Streams the object or directory at `uri` into the download, through the endpoint's artifact gateway.

    Args:
        gateway: acts with the requester's permissions, or the portal's.
        folder: names of a folder or file in the directory; only that is kept.
        pattern: only matching files are kept, relative to `folder`.

    Raises:
        SourceError: `source_missing`, or a limit is exceeded.
        RunsError: Kubeflow does not deliver it, or a folder arrives damaged.
    """
    name = safe_name(uri.rstrip("/").rpartition("/")[2])
    with gateway.open_artifact(uri, namespace=gateway.endpoint.namespace) as stream:
        if stream.is_directory:
            only = _save_folder(iter(stream.chunks), download, folder, pattern)
            return download.done_matches(len(pattern)) if pattern else download.done(str(only or download.directory))
        if folder or pattern:
            raise SourceError(f"{uri} is one file, and no folder in which there could be {_named(folder + pattern)}.")
        download.check_size(stream.size_bytes)
        path = download.save(name, stream.chunks)
        download.note(name, stream.size_bytes, "")
        return download.done(str(path))


def _save_folder(
    chunks: Iterator[bytes], download: Download, folder: tuple[str, ...], pattern: tuple[str, ...]
) -> Path | None:
    """Saves the wanted part of a folder; returns the path if `folder` names a single file."""

    def check(read_bytes: int) -> None:
        download.check_time()
        if read_bytes > download.max_bytes + _MOST_HEADER_BYTES:
            raise SourceError(f"The source has more than {download.max_bytes:,} bytes.", code=Reason.SOURCE_TOO_BIG)

    saved, depth = 0, len(folder)
    for file in unpack(chunks, check):
        rest = file.parts[depth:]
        if file.parts[:depth] != folder or (pattern and not pattern_fits(pattern, rest)):
            continue
        download.check_size(file.size_bytes)
        path = download.save(safe_path(rest or file.parts[-1:]), file.chunks)
        if not rest:
            return path
        saved += 1
    if (folder or pattern) and not saved:
        raise SourceError(f"The artifact's folder has no {_named(folder + pattern)}.", code=Reason.SOURCE_MISSING)
    return None


def _named(parts: tuple[str, ...]) -> str:
    return "/".join(parts)
