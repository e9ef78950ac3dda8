"""Every preview kind: one for each module in `kinds`."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from apps.runs.entities import Artifact
from apps.runs.previews import kinds
from apps.runs.previews.preview_kind import PreviewFile, PreviewKind


@functools.cache
def preview_kinds() -> tuple[PreviewKind, ...]:
    """Returns every kind, by the name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    return tuple(importlib.import_module(f"{kinds.__name__}.{name}").KIND for name in names)


def detect(file: PreviewFile) -> PreviewKind:
    """Returns the kind with the strongest evidence."""
    return max(preview_kinds(), key=lambda kind: kind.evidence(file))


def kind_of_type(artifact_type: str) -> PreviewKind | None:
    """Returns the kind that KFP's type of an artifact alone decides about; None where its file has to be looked at."""
    return next((kind for kind in preview_kinds() if artifact_type in kind.artifact_types), None)


def played_type(head: bytes) -> str:
    """Returns the media type under which browsers play a file that begins with these bytes; "" where they do not."""
    found = (kind.played_type(head) for kind in preview_kinds() if kind.played_type is not None)
    return next(filter(None, found), "")


def is_named_text(artifact: Artifact) -> bool:
    """Whether the name or the type says that an artifact is text, in whatever encoding."""
    return any(kind.names_text(artifact) for kind in preview_kinds())
