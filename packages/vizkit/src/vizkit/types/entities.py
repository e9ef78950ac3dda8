"""A visualization type, as its file's header describes it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CUSTOM_KEY: Final = "custom"
_PATTERN_SCORE: Final = 4
_TYPE_SCORE: Final = 2
_TFX_SCORE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFigure:
    """A key figure that a type leaves with its results.

    Attributes:
        better: higher, lower or none.
    """

    name: str
    unit: str = ""
    better: str = "none"
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualizationType:
    """One type of visualization.

    Attributes:
        key: lower case, unique in the catalogue.
        environment: the environment its code runs in.
        kernel: a Jupyter kernelspec of that environment; "" for Python in the render's own process.
        artifact_types: schema titles it accepts, such as `system.Dataset`.
        patterns: file name patterns it accepts, such as `*.csv`.
        schema: JSON Schema of the arguments, an object without additional properties; properties in form order.
        code: the file without its header. For CUSTOM it is the example shown first.
        version: 16 hex digits of a SHA-256 over the file and, where it imports vizkit, that; a render keeps it. A type
            that is no file has another name of its version, of at most 16 characters.
        path: None for types that are not files, but what a person wrote and another approved.
        needs_source: whether it can do anything without a source.
        reads_results: its source is saved results; it is offered for no artifact.
        figures: the key figures that its code leaves where the data have them; it may leave others too.
    """

    key: str
    title: str
    description: str
    environment: str
    artifact_types: tuple[str, ...]
    patterns: tuple[str, ...]
    schema: Mapping[str, Any]
    code: str
    version: str
    path: Path | None
    needs_source: bool = True
    reads_results: bool = False
    kernel: str = ""
    figures: tuple[DeclaredFigure, ...] = ()

    @property
    def is_custom(self) -> bool:
        """Whether its code comes from the person, so that ALLOW_CUSTOM_VISUALIZATIONS must be on."""
        return self.key == CUSTOM_KEY

    @property
    def needs_sandbox(self) -> bool:
        """Whether it must not run where nothing confines it: people wrote its code, and not who runs the server."""
        return self.is_custom or self.path is None

    def fits(self, artifact_type: str, file_name: str, tfx_type: str = "") -> int:
        """Returns how well it suits an artifact: 0 not at all, higher is better.

        Args:
            tfx_type: what the artifact is in TFX, such as `ExampleStatistics`; that says more than a name.
        """
        by_name = any(fnmatch.fnmatchcase(file_name.lower(), pattern) for pattern in self.patterns)
        by_type = _TYPE_SCORE * (artifact_type in self.artifact_types)
        return _PATTERN_SCORE * by_name + by_type + _TFX_SCORE * (bool(tfx_type) and tfx_type in self.artifact_types)
