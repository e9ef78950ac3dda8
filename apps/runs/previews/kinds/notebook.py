"""Notebooks as their cells: Markdown, code, and the text among the outputs. Nothing in them is run or drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from apps.runs.previews import terminal, texts
from apps.runs.previews.kinds import binary, text
from apps.runs.previews.preview import LARGEST_WHOLE_BYTES, PEEK_BYTES, Preview, TooLargePreview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

_MOST_CELLS: Final = 100
_LONGEST: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCell:
    """A notebook's cell.

    Attributes:
        cell_type: code, markdown or raw.
        markup: sanitised HTML, for Markdown cells only.
        output: the text among the cell's outputs; pictures are named in brackets.
    """

    cell_type: str
    source: str
    markup: str = ""
    output: str = ""
    count: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookPreview(Preview):
    """The first cells of a notebook."""

    preview_kind: str = "notebook"
    cells: tuple[NotebookCell, ...] = ()


def _detect(file: PreviewFile) -> Evidence:
    content = file.text.value if file.text else ""
    is_json = content.lstrip()[:1] in {"{", "["}
    return Evidence.KEYWORDS if is_json and '"nbformat"' in content and '"cells"' in content else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    body = b"".join(file.source.chunks(LARGEST_WHOLE_BYTES + 1))
    if len(body) > LARGEST_WHOLE_BYTES:
        return TooLargePreview(size_bytes=file.size_bytes)
    cells = _cells(body)
    if cells is not None:
        return NotebookPreview(size_bytes=len(body), cells=cells)
    content = texts.decode(body[:PEEK_BYTES], is_text=True)
    if content is None:
        return binary.dumped(body, len(body))
    return text.TextPreview(
        size_bytes=len(body),
        is_cut=len(body) > PEEK_BYTES,
        text=content.value,
        note="This is not a notebook that can be read, so it is shown as it is.",
    )


def _cells(body: bytes) -> tuple[NotebookCell, ...] | None:
    """Returns a notebook's first cells; None if it is not a notebook."""
    try:
        listed = json.loads(body)["cells"]
        return tuple(_cell(cell) for cell in listed[:_MOST_CELLS] if isinstance(cell, dict))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _cell(cell: dict[str, Any]) -> NotebookCell:
    cell_type, source = str(cell.get("cell_type", "")), _joined(cell.get("source"))
    outputs = cell.get("outputs")
    count = cell.get("execution_count")
    return NotebookCell(
        cell_type=cell_type if cell_type in {"code", "markdown"} else "raw",
        source=source,
        markup=texts.markdown(source) if cell_type == "markdown" else "",
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
    joined = glue.join(map(str, value)) if isinstance(value, list) else str(value or "")
    return joined if len(joined) <= _LONGEST else joined[:_LONGEST] + "..."


KIND: Final = PreviewKind(
    key="notebook",
    suffixes=(".ipynb",),
    detect=_detect,
    read=_read,
    largest_bytes=LARGEST_WHOLE_BYTES,
)
