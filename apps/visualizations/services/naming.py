"""Automatic titles, which tell one result from another without opening it."""

from __future__ import annotations

import ast
from typing import Any, Final

from renderer import RenderSpec
from vizkit.types.entities import VisualizationType

from apps.runs.entities import Artifact

_MOST_COLUMNS: Final = 2
_LONGEST_PART: Final = 60


def title_of(kind: VisualizationType, spec: RenderSpec, artifact: Artifact | None, run_name: str) -> str:
    """Returns the automatic title: the type, or what the code says of itself; then columns, artifact and run.

    For example "ROC curve of score, predictions, taxi-tips 2026-11-23".
    """
    what = words_of(spec.code) if spec.is_custom else ""
    name = artifact.name if artifact else spec.source_uri.rstrip("/").rpartition("/")[2]
    parts = [", ".join(_columns(kind, spec.arguments)), name, run_name]
    rest = ", ".join(_short(part) for part in parts if part)
    return " of ".join(part for part in (what or kind.title, rest) if part).replace("\0", "")


def _columns(kind: VisualizationType, values: Any) -> list[str]:
    """Returns the first chosen columns: string arguments named after a column that differ from their default."""
    chosen = []
    for name, schema in kind.schema.get("properties", {}).items():
        value = values.get(name)
        is_column = isinstance(value, str) and "column" in name and value != schema.get("default")
        if is_column and value:
            chosen.append(value)
    return chosen[:_MOST_COLUMNS]


def words_of(code: str) -> str:
    """Returns the first line of the code's docstring, else its first comment; "" if it has neither."""
    try:
        text = ast.get_docstring(ast.parse(code)) or ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = ""
    lines = text.splitlines() or [line.lstrip("# ") for line in code.splitlines() if line.startswith("# ")]
    plain = (
        line.strip().rstrip(".") for line in lines if not line.startswith(("%%", "///", "-*-", "!", "noqa", "type:"))
    )
    return _short(next((line for line in plain if line and not line.startswith("///")), ""))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_PART else text[: _LONGEST_PART - 1].rstrip() + "…"
