"""JSON as a tree of <details>, which opens and closes without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from apps.runs.previews.kinds import text
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

_MOST_NODES: Final = 2000
_MOST_CHILDREN: Final = 200
_DEEPEST: Final = 12
_OPEN_DEPTH: Final = 2
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPreview(text.TextPreview):
    """JSON; `markup` is its tree as safe HTML, "" if the JSON is cut or broken and is shown as text."""

    preview_kind: str = "json"
    markup: str = ""


def _detect(file: PreviewFile) -> Evidence:
    begins_as_json = file.text is not None and file.text.value.lstrip()[:1] in {"{", "["}
    return Evidence.FIRST_CHARACTERS if begins_as_json else Evidence.NONE


def _read(file: PreviewFile) -> JsonPreview:
    content = text.read(file)
    markup = "" if file.is_cut else _tree(content.text)
    is_broken = not markup and not file.is_cut
    return JsonPreview(
        size_bytes=content.size_bytes,
        is_cut=content.is_cut,
        text=content.text,
        markup=markup,
        note=content.note or ("This is not valid JSON, so it is shown as it is." if is_broken else ""),
    )


def _tree(source: str) -> str:
    """Returns JSON text as safe HTML; "" if it is broken or nested too deeply."""
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return ""
    return f'<div class="json-tree">{"".join(_Tree().node("", value, 0))}</div>'


class _Tree:
    """Writes one tree; limits its nodes to keep the page fast."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def node(self, name: str, value: Any, depth: int) -> Iterator[str]:
        self._left -= 1
        label = f'<span class="json-key">{escape(name)}</span>: ' if name else ""
        if not isinstance(value, dict | list) or not value:
            yield f"<div>{label}{_scalar(value)}</div>"
            return
        is_list = isinstance(value, list)
        noun = "item" if is_list else "key"
        count = f"{len(value)} {noun}{'s' if len(value) != 1 else ''}"
        summary = (
            f'{label}<span class="json-brace">{"[ ]" if is_list else "{ }"}</span> <span class="muted">{count}</span>'
        )
        if depth >= _DEEPEST:
            yield f"<div>{summary} <span class='muted'>(too deep to show)</span></div>"
            return
        yield f"<details{' open' if depth < _OPEN_DEPTH and len(value) <= 40 else ''}><summary>{summary}</summary><div>"
        yield from self._children(value, depth)
        yield "</div></details>"

    def _children(self, value: dict[str, Any] | list[Any], depth: int) -> Iterator[str]:
        pairs = enumerate(value) if isinstance(value, list) else iter(value.items())
        for number, (key, child) in enumerate(pairs):
            if number >= _MOST_CHILDREN or self._left <= 0:
                yield f'<div class="muted">and {len(value) - number:,} more</div>'
                return
            yield from self.node(str(key)[:_LONGEST] or '""', child, depth + 1)


def _scalar(value: Any) -> str:
    style = "string" if isinstance(value, str) else "number" if isinstance(value, int | float) else "word"
    literal = json.dumps(value, ensure_ascii=False)
    shown = literal if len(literal) <= _LONGEST else f"{literal[:_LONGEST]}..."
    return f'<span class="json-{"word" if isinstance(value, bool) else style}">{escape(shown)}</span>'


KIND: Final = PreviewKind(key="json", suffixes=(".json",), detect=_detect, read=_read, is_text=True)
