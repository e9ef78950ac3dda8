"""Converts an artifact's bytes to its preview, reading only as much as its kind needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import archives, registry, texts
from apps.runs.previews.archives import BrokenArchiveError
from apps.runs.previews.file_names import renamed
from apps.runs.previews.kinds import binary
from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, PEEK_BYTES, Preview, TooLargePreview
from apps.runs.previews.preview_kind import PreviewFile
from apps.runs.previews.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file that a browser displays natively: an image, a page or a PDF, unpacked."""

    body: bytes
    media_type: str


def preview(artifact: Artifact, stream: ArtifactStream) -> Preview:
    """Returns a preview, reading only as much of an artifact as its kind needs.

    Raises:
        EndpointDownError: the connection was closed.
    """

    def read_member(name: str, source: Source, size_bytes: int | None) -> Preview:
        member = _preview_file(renamed(artifact, name), source)
        return replace(_read(replace(member, size_bytes=size_bytes)), member_name=name)

    file = replace(
        _preview_file(artifact, Source(stream.chunks)),
        content_type=stream.content_type,
        size_bytes=stream.size_bytes,
        is_directory=stream.is_directory,
        read_member=read_member,
    )
    return _read(file)


def _preview_file(artifact: Artifact, source: Source) -> PreviewFile:
    head = source.peek(PEEK_BYTES)
    text = texts.decode(head, is_text=registry.is_named_text(artifact))
    return PreviewFile(artifact=artifact, source=source, head=head, text=text)


def _read(file: PreviewFile) -> Preview:
    kind = registry.detect(file)
    if kind.is_text and file.text is None:
        return binary.read(file)
    if kind.largest_bytes is not None and (file.size_bytes or 0) > kind.largest_bytes:
        return TooLargePreview(size_bytes=file.size_bytes)
    return kind.read(file)


def content(artifact: Artifact, stream: ArtifactStream) -> Content | None:
    """Returns a file for the browser to display, unpacked from a .gz or .tgz; None if browsers cannot display it.

    Raises:
        EndpointDownError: the connection was closed.
    """
    if (stream.size_bytes or 0) > LARGEST_WHOLE_BYTES:
        return None
    source = Source(stream.chunks)
    if source.peek(2) != archives.GZIP_MAGIC:
        return _content(artifact, source, stream.content_type)
    try:
        found = archives.opened(source, artifact.file_name)
        if isinstance(found, archives.Folder):
            return None
        return _content(renamed(artifact, found.name), found.source, "")
    except BrokenArchiveError:
        return None


def _content(artifact: Artifact, source: Source, content_type: str) -> Content | None:
    file = replace(_preview_file(artifact, source), content_type=content_type)
    media_type = registry.detect(file).media_type
    if media_type is None:
        return None
    body = b"".join(source.chunks(LARGEST_WHOLE_BYTES + 1))
    return Content(body=body, media_type=media_type(file)) if len(body) <= LARGEST_WHOLE_BYTES else None
