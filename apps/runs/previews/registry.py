"""All preview kinds: one for each module in `kinds`."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from apps.runs.entities import Artifact
from apps.runs.previews import kinds
from apps.runs.previews.preview_kind import PreviewFile, PreviewKind


@functools.cache
def preview_kinds() -> tuple[PreviewKind, ...]:
    """Returns every kind, sorted by the name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    return tuple(importlib.import_module(f"{kinds.__name__}.{name}").KIND for name in names)


def detect(file: PreviewFile) -> PreviewKind:
    """Returns the kind with the strongest evidence."""
    return max(preview_kinds(), key=lambda kind: kind.evidence(file))


def kind_of_type(artifact_type: str) -> PreviewKind | None:
    """Returns the kind that an artifact's KFP type alone determines; None if the file has to be examined."""
    return next((kind for kind in preview_kinds() if artifact_type in kind.artifact_types), None)


def played_type(head: bytes) -> str:
    """Returns the media type with which browsers play a file with these first bytes; "" if they cannot."""
    found = (kind.played_type(head) for kind in preview_kinds() if kind.played_type is not None)
    return next(filter(None, found), "")


def is_named_text(artifact: Artifact) -> bool:
    """Whether the name or the type says that an artifact is text, in any encoding."""
    return any(kind.names_text(artifact) for kind in preview_kinds())
