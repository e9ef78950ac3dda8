"""Notebooks as their cells: Markdown, code, and what of the outputs is text. Nothing in them is run or drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from apps.runs.previews import terminal, texts
from apps.runs.previews.shapes import NotebookCell

_MOST_CELLS: Final = 100
_LONGEST: Final = 20_000


def cells(body: bytes) -> tuple[NotebookCell, ...] | None:
    """Returns a notebook's first cells; None where it is no notebook."""
    try:
        listed = json.loads(body)["cells"]
        return tuple(_cell(cell) for cell in listed[:_MOST_CELLS] if isinstance(cell, dict))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _cell(cell: dict[str, Any]) -> NotebookCell:
    kind, source = str(cell.get("cell_type", "")), _joined(cell.get("source"))
    outputs = cell.get("outputs")
    count = cell.get("execution_count")
    return NotebookCell(
        kind=kind if kind in {"code", "markdown"} else "raw",
        source=source,
        markup=texts.markdown(source) if kind == "markdown" else "",
        output="\n".join(_outputs(outputs if isinstance(outputs, list) else []))[:_LONGEST],
        count=str(count) if isinstance(count, int) else "",
    )


def _outputs(outputs: list[Any]) -> Iterator[str]:
    for output in outputs:
        if not isinstance(output, dict):
            continue
        shown = output.get("data")
        if isinstance(shown, dict):
            yield _joined(shown.get("text/plain")) or f"[{', '.join(map(str, shown))}]"
        elif output.get("output_type") == "error":
            yield terminal.plain(
                _joined(output.get("traceback"), "\n") or f"{output.get('ename')}: {output.get('evalue')}"
            )
        else:
            yield terminal.plain(_joined(output.get("text")))


def _joined(value: Any, glue: str = "") -> str:
    text = glue.join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
