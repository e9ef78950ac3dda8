"""File name and media type of a downloaded artifact."""

from __future__ import annotations

import mimetypes

from apps.runs.entities import Artifact
from apps.runs.previews.file_names import suffix_of
from apps.runs.previews.registry import kind_of_type


def download_name(artifact: Artifact, *, is_directory: bool) -> str:
    """Returns the file name to save as, with a suffix that the type determines if the name has none."""
    name = artifact.file_name
    if is_directory:
        return f"{name}.tar.gz"
    if "." in name.strip("."):
        return name
    kind = kind_of_type(artifact.type)
    return name + (suffix_of(artifact) or (kind.suffixes[0] if kind else ""))


def media_type(artifact: Artifact) -> str:
    """Returns the media type of a download."""
    return mimetypes.guess_type(download_name(artifact, is_directory=False))[0] or "application/octet-stream"
