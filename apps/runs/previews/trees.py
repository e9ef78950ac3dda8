"""JSON as a tree that opens and closes, made of <details>: it works without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

_MOST_NODES: Final = 2000
_MOST_CHILDREN: Final = 200
_DEEPEST: Final = 12
_OPEN_DEPTH: Final = 2
_LONGEST: Final = 500


def tree(text: str) -> str | None:
    """Returns JSON text as safe HTML; None where it is broken, or nested too deep to be read."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return f'<div class="json-tree">{"".join(_Tree().node("", value, 0))}</div>'


class _Tree:
    """Writes one tree, and stops at so many nodes that a page stays quick."""

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
    kind = "string" if isinstance(value, str) else "number" if isinstance(value, int | float) else "word"
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f'<span class="json-{"word" if isinstance(value, bool) else kind}">{escape(shown)}</span>'
