"""The specification of a render: one record that the request, the database row, the worker and the child share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

# Fields that do not change a result: the type's version determines the first two, and the last is a limit.
_NOT_IN_KEY: Final = frozenset({"is_custom", "kernel", "timeout_s"})
# Marks a field that the requester of a render may set, under the same name in forms and APIs.
_OPTION: Final = {"is_option": True}
# Custom code runs here unless it requests another environment.
CUSTOM_ENVIRONMENT: Final = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSpec:
    """What is rendered, independent of when, by whom and on which machine.

    To add an option, add a field here with `metadata=_OPTION`: requests, rows, jobs and the child pass it on by its
    name. It is part of the cache key unless its value is None or empty.

    Attributes:
        code: Python; a line starting with `# %%` begins a new cell.
        arguments: JSON values by name; the code sees them as `variables`. Never formatted into code.
        is_custom: the code is a user's own: the page shows it, folded away. The notebook always contains the code.
        type_version: the version of the visualization type; "" for code without a type.
        environment: the key of the environment that it runs in.
        environment_lock: digest of that environment's lock file.
        dependencies: requirements in addition to the environment's packages, normalized.
        kernel: a Jupyter kernelspec of the environment; "" runs Python in the render's own process.
        source_uri: where the source comes from; the code uses it for titles. "" if there is none.
        source_metadata: metadata that is the source itself; empty if the source is at its URI.
        source_scope: distinguishes the source from others with the same URI, such as run and step.
        sample_rows: pass only this many rows of each table in the source to the code; None for all.
        timeout_s: measured from when the host assigns a process until the render has ended.
    """

    code: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    is_custom: bool = False
    type_version: str = ""
    environment: str = CUSTOM_ENVIRONMENT
    environment_lock: str = ""
    dependencies: tuple[str, ...] = ()
    kernel: str = ""
    source_uri: str = ""
    source_metadata: Mapping[str, Any] = field(default_factory=dict)
    source_scope: tuple[str, ...] = ()
    sample_rows: int | None = None
    timeout_s: float = field(default=100, metadata=_OPTION)

    @property
    def options(self) -> dict[str, Any]:
        """The fields that the requester of a render may set, by name."""
        return {name: getattr(self, name) for name in option_names()}

    @property
    def cache_key(self) -> str:
        """The SHA-256 of everything that determines the result. Equal keys mean equal results.

        Saved results store it, so its format cannot change: canonical JSON without empty parts.
        """
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_IN_KEY}
        parts["source"] = [*parts.pop("source_scope"), parts.pop("source_uri")]
        # The version of a predefined type determines its environment.
        if not self.is_custom or self.environment == CUSTOM_ENVIRONMENT:
            del parts["environment"]
        kept = {name: part for name, part in parts.items() if part not in (None, {}, ())}
        return hashlib.sha256(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def option_names() -> list[str]:
    """Returns the names of the options that the requester of a render may set."""
    return [each.name for each in fields(RenderSpec) if each.metadata.get("is_option")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """Resource limits of a render.

    Attributes:
        patience_s: how long it may wait for a process.
        max_html_bytes: of its page; its outputs may have twice as much.
        max_memory_bytes: of its whole process tree, by proportional set size.
        max_files, max_disk_bytes: of everything in its directory, checked every second.
    """

    patience_s: float = 90
    max_html_bytes: int = 64 * 1024**2
    max_memory_bytes: int = 4 * 1024**3
    max_processes: int = 128
    max_files: int = 10_000
    max_disk_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """One render of a spec on this machine.

    Attributes:
        title: of the page.
        source: a local path or glob that the code may read; "" if there is none.
        packages: a folder of packages that the code may import in addition to its environment's; None for none.
        needs_sandbox: refuse to run the code unless a sandbox confines it.
    """

    spec: RenderSpec
    title: str = ""
    source: str = ""
    packages: Path | None = None
    needs_sandbox: bool = False
    limits: RenderLimits = field(default_factory=RenderLimits)
