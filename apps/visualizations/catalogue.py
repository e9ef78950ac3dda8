"""Types without a file, which other apps add to the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vizkit.types.entities import VisualizationType

Source = Callable[[], tuple[VisualizationType, ...]]
_sources: Final[dict[str, Source]] = {}


def source_register(name: str, source: Source) -> None:
    """Adds a source of types to the catalogue. It is called on each read and must be fast.

    Args:
        name: registering the same name again replaces the source.
    """
    _sources[name] = source


def types_added() -> tuple[VisualizationType, ...]:
    """Returns the types without a file; their `path` is None."""
    return tuple(kind for source in _sources.values() for kind in source())
