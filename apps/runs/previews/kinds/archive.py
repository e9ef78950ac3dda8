"""A .gz or .tar.gz: the only file in it, or the names of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.runs.previews import archives
from apps.runs.previews.archives import BrokenArchiveError, Member
from apps.runs.previews.kinds import binary
from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePreview(Preview):
    """The files of an archive, as far as they were read."""

    preview_kind: str = "archive"
    members: tuple[Member, ...] = ()


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.SIGNATURE if file.head.startswith(archives.GZIP_MAGIC) else Evidence.NONE


def read(file: PreviewFile, *, preview_kind: str = "archive") -> Preview:
    """Returns the preview of the one file in an archive, or its list of files."""
    if file.read_member is None:
        # One level is enough: an archive in an archive is shown like any other file.
        return binary.read(file)
    name = ""
    try:
        found = archives.opened(file.source, file.artifact.file_name, is_directory=file.is_directory)
        if isinstance(found, archives.SingleFile):
            name = found.name
            return file.read_member(name, found.source, found.size_bytes)
    except BrokenArchiveError as error:
        size = None if name else file.size_bytes
        return ArchivePreview(
            preview_kind=preview_kind, size_bytes=size, is_cut=True, note=str(error), member_name=name
        )
    return ArchivePreview(
        preview_kind=preview_kind,
        size_bytes=file.size_bytes,
        is_cut=found.is_cut,
        members=tuple(found.members),
        note=f"{found.left_out} links or names that lead outside are left out." if found.left_out else "",
    )


KIND: Final = PreviewKind(key="archive", detect=_detect, read=read)
