"""Displays HTML, Markdown and notebooks that a step wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from . import embedding, html

_LEADS_AWAY: Final = re.compile(
    r"<(?:base\b|meta\b[^<>]*\bhttp-equiv\s*=\s*[\"']?(?:refresh|content-security))[^<>]*>", re.IGNORECASE
)
_OUTSIDE: Final = re.compile(
    r"<(?:script|img|iframe)\b[^<>]*\bsrc\s*=\s*[\"']?(https?:)?//([^\"'<>\s/]+)", re.IGNORECASE
)
_OUTSIDE_STYLE: Final = re.compile(r"<link\b[^<>]*\bhref\s*=\s*[\"']?(https?:)?//([^\"'<>\s/]+)", re.IGNORECASE)
_STYLED: Final = re.compile(
    r"<style\b|\bstyle\s*=|<link\b[^<>]*stylesheet|\bbgcolor\s*=|<font\b|<script\b|<canvas\b", re.IGNORECASE
)
_OWN_GROUND: Final = re.compile(r"(?:body|html|:root)[^{}]*\{[^}]*background", re.IGNORECASE)
_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n((?:[^\n]*\n)*?[^\n]*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
_ATTACHMENT: Final = re.compile(r"attachment:([^)\s\"'>]+)")


def html_document(text: str, place: Path, root: Path) -> str:
    """Returns an HTML document as part of the page.

    It keeps its scripts and styles, because the sandbox around a result confines it. A document with colours of its own
    gets a white background, on which its author saw it.

    Args:
        text: the document.
        place: the folder that contains it.
        root: the folder that it may refer to.
    """
    whole = _LEADS_AWAY.sub("", embedding.embed_html(text, place, root))
    kind = "" if _OWN_GROUND.search(whole) or not _STYLED.search(whole) else " vk-paper"
    return _region(whole, _title(whole), kind)


def _title(text: str) -> str:
    found = re.search(r"<title[^<>]*>([^<]{1,200})", text, re.IGNORECASE)
    return embedding.html_unescape(found[1]).strip() if found else "HTML document"


def outside_note(text: str) -> str:
    """Returns a sentence about what an HTML document would load from elsewhere, and cannot; "" for nothing.

    Libraries of the environment do not count, because the page's exporter inserts them.
    """
    from render_child.page import export

    known = export.rewrite(text)
    found = [match[2] for pattern in (_OUTSIDE, _OUTSIDE_STYLE) for match in pattern.finditer(known)]
    hosts = ", ".join(dict.fromkeys(found))
    return f"Parts from {hosts} are missing, because a result has no network access." if hosts else ""


def markdown_document(text: str, place: Path, root: Path) -> str:
    """Returns Markdown as part of the page: tables, code, math, and images from its folder.

    A model card's YAML front matter is shown as code.
    """
    from render_child.page.markdown import markdown_to_html

    text = _FRONT_MATTER.sub(r"```yaml\n\1\n```\n\n", text.removeprefix("\ufeff"))
    return _region(
        f'<div class="prose">{markdown_to_html(embedding.embed_markdown(text, place, root))}</div>', "Markdown"
    )


def _region(inner: str, label: str, kind: str = "") -> str:
    return (
        f'<link rel="stylesheet" href="{html.asset_url("documents.css")}">'
        f'<div class="vk-document{kind}" tabindex="0" role="region" aria-label="{html.text(label)}">{inner}</div>'
    )


def notebook_document(text: str, *, shows_code: bool = True) -> str:
    """Returns a notebook as part of the page: its texts, code and outputs, as saved.

    Raises:
        ValueError: it is not a notebook; the text is for people.
    """
    notebook = _load(text)
    metadata = notebook.get("metadata") or {}
    language = str((metadata.get("language_info") or {}).get("name") or "python").lower()
    cells = [piece for cell in notebook["cells"] for piece in _cell(cell, language, shows_code=shows_code)]
    return _region(f'<div class="vk-notebook">{"".join(cells) or "<p>The notebook is empty.</p>"}</div>', "Notebook")


def _load(text: str) -> Mapping[str, Any]:
    import nbformat

    try:
        json.loads(text)
    except RecursionError:
        raise ValueError("The file is not a Jupyter notebook: it is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"The file is not a Jupyter notebook: it is not JSON ({error}).") from None
    try:
        return dict(nbformat.reads(text, as_version=4))
    # A file that only claims to be a notebook makes nbformat's conversions fail with any exception, in Python's words.
    except Exception:  # noqa: BLE001
        raise ValueError(
            "The file is not a Jupyter notebook: it is JSON, but a part of it does not belong in a notebook."
        ) from None


def _cell(cell: Mapping[str, Any], language: str, *, shows_code: bool) -> Iterator[str]:
    from render_child.page.highlight import highlight
    from render_child.page.markdown import markdown_to_html

    source = _text(cell.get("source"))
    kind = cell.get("cell_type")
    if kind == "markdown" and source.strip():
        yield f'<div class="prose">{markdown_to_html(_attached(source, cell.get("attachments") or {}))}</div>'
    elif kind == "raw" and source.strip():
        yield f"<pre>{escape(source, quote=False)}</pre>"
    elif kind == "code":
        count = cell.get("execution_count")
        if shows_code and source.strip():
            shown = highlight(source) if "python" in language else escape(source, quote=False)
            number = f'<span class="vk-count" aria-hidden="true">{int(count)}</span>' if isinstance(count, int) else ""
            yield f'<div class="vk-code">{number}<pre class="code">{shown}</pre></div>'
        yield from _outputs(cell.get("outputs") or ())


def _outputs(outputs: Any) -> Iterator[str]:
    from render_child.page import export
    from render_child.page.outputs import outputs_to_html

    for piece in outputs_to_html(outputs, export.library_url):
        yield f'<div class="vk-output">{piece}</div>'


def _attached(text: str, attachments: Mapping[str, Any]) -> str:
    """Returns Markdown with the images attached to its cell inserted."""

    def put_in(match: re.Match[str]) -> str:
        for kind, content in (attachments.get(match[1]) or {}).items():
            return f"data:{kind};base64,{_text(content).strip()}"
        return match[0]

    return _ATTACHMENT.sub(put_in, text)


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
