"""What an artifact's name and metadata say about its file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from apps.runs.entities import Artifact

_PACKED_SUFFIXES: Final = (".tar.gz", ".tgz", ".gz")


def suffix_of(artifact: Artifact) -> str:
    """Returns the file's suffix in lower case, including the dot; "" for none.

    If the file name has no suffix, as KFP's own names, `metadata.format` or `metadata.file_format` gives it.
    """
    name, dot, suffix = artifact.file_name.rpartition(".")
    if name and dot:
        return f".{suffix.lower()}"
    stated = artifact.metadata.get("format") or artifact.metadata.get("file_format")
    return f".{str(stated).lower().lstrip('.')}" if stated else ""


def unpacked_name(name: str) -> str:
    """Returns a file's name without the suffix of a compressed file."""
    packed = next((suffix for suffix in _PACKED_SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: -len(packed)] if packed else name


def renamed(artifact: Artifact, name: str) -> Artifact:
    """Returns the artifact as if its file had this name."""
    return replace(artifact, uri=f"member:///{name}")
