"""Types that are no files, and that other apps add to the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vizkit.types.entities import VisualizationType

Source = Callable[[], tuple[VisualizationType, ...]]
_sources: Final[dict[str, Source]] = {}


def source_register(name: str, source: Source) -> None:
    """Adds what `source` returns to every reading of the catalogue; it is asked each time, and must be quick.

    Args:
        name: registering the same name again replaces the source.
    """
    _sources[name] = source


def types_added() -> tuple[VisualizationType, ...]:
    """Returns the types that are no files; each has `path` None."""
    return tuple(kind for source in _sources.values() for kind in source())
