"""One output of a cell as HTML: the richest form it has, and words where there is none that can be drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any, Final

from nbconvert.filters.ansi import ansi2html

from .mathml import markdown_to_html, tex_to_html

# The store's address of a library, "" where there is none.
Library = Callable[[str], str]
_FOLD_AT_LINES: Final = 80
_HEAD_LINES: Final = 30
_TAIL_LINES: Final = 20
_VEGA: Final = re.compile(r"application/vnd\.(vega|vegalite)\.v\d+(?:\.\d+)*[.+]json")
_PLOTLY: Final = "application/vnd.plotly.v1+json"
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
# Bokeh's data beside its page, and key figures, which the portal shows.
_UNSHOWN: Final = ("application/vnd.bokehjs_", "application/vnd.vizportal.")
_DATA_FRAME: Final = 'class="dataframe"'
_SCRIPT_END: Final = re.compile(r"</(?=script)", re.IGNORECASE)
# BokehJS's own scripts say where they draw; others may expect the place of their output, as in Jupyter.
_WANTS_ELEMENT: Final = re.compile(r"\belement\b")


def outputs_to_html(outputs: Iterable[Mapping[str, Any]], library: Library) -> Iterator[str]:
    """Yields one piece of HTML for each output that shows something; text printed in a row is one piece.

    Args:
        library: called with "plotly" or "vega" for outputs that are data for it.
    """
    for name, group in groupby(outputs, key=_stream_name):
        if name:
            text = "".join(_text(each.get("text")) for each in group)
            if text.strip():
                yield f'<div class="{name}">{_lines(text)}</div>'
            continue
        for output in group:
            html = _safely(output, library)
            if html:
                yield html


def _stream_name(output: Mapping[str, Any]) -> str:
    if output.get("output_type") != "stream":
        return ""
    return "stderr" if output.get("name") == "stderr" else "stdout"


def _safely(output: Mapping[str, Any], library: Library) -> str:
    try:
        if output.get("output_type") == "error":
            return _error(output)
        return _bundle(output.get("data") or {}, output.get("metadata") or {}, library)
    # Code may publish any object under any type; one odd output does not take the others along.
    except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        return _quiet(f"This output could not be shown ({type(error).__name__}: {error}).")


def _bundle(data: Mapping[str, Any], metadata: Mapping[str, Any], library: Library) -> str:
    for mime, draw in _DRAW.items():
        if mime in data:
            return draw(data, metadata.get(mime) or {}, mime)
    for mime in data:
        kind = _VEGA.fullmatch(mime)
        html = _vega(data[mime], kind[1], library("vega")) if kind else ""
        html = html or (_plotly(data[mime], library("plotly")) if mime == _PLOTLY else "")
        if html:
            return html
    return _plain(data)


def _plain(data: Mapping[str, Any]) -> str:
    if "application/pdf" in data:
        size_kb = len(data["application/pdf"]) * 3 // 4000
        return _quiet(f"A PDF document ({size_kb:,} kB), which is kept in the notebook.")
    text = _text(data.get("text/plain"))
    if _WIDGET in data:
        html = _lines(text) if text.strip() else ""
        return f'<div class="quiet">{html}<p>A widget: it needs a running kernel, so only its text is here.</p></div>'
    if text:
        return _lines(text)
    named = [mime for mime in data if not mime.startswith(_UNSHOWN)]
    return _quiet(f"An output of type {', '.join(named)}, which cannot be drawn here.") if named else ""


def _html(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    text = _text(data[mime])
    if _DATA_FRAME in text:
        # pandas writes the corner above its index as a heading of nothing.
        text = text.replace("<th></th>", "<td></td>")
    return f'<div class="rich">{text}</div>'


def _image(data: Mapping[str, Any], metadata: Mapping[str, Any], mime: str) -> str:
    content = _text(data[mime]).replace("\n", "")
    alt = escape(_text(data.get("text/plain")) or "figure")
    size = "".join(f' {name}="{int(metadata[name])}"' for name in ("width", "height") if metadata.get(name))
    return f'<img src="data:{mime};base64,{escape(content)}" alt="{alt}"{size}>'


def _markdown(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    return f'<div class="rich prose">{markdown_to_html(_text(data[mime]))}</div>'


def _latex(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    return f'<div class="rich">{tex_to_html(_text(data[mime]))}</div>'


def _javascript(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    code = _SCRIPT_END.sub(r"<\\/", _text(data[mime]))
    place = ""
    if _WANTS_ELEMENT.search(code) and not any(each.startswith("application/vnd.bokehjs_") for each in data):
        place = "<div></div><script>var element = document.currentScript.previousElementSibling;</script>"
    return f"{place}<script>{code}</script>"


def _json(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    return _lines(json.dumps(data[mime], indent=1, ensure_ascii=False))


_DRAW: Final[dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], str]]] = {
    "text/html": _html,
    "image/svg+xml": _html,
    "image/png": _image,
    "image/jpeg": _image,
    "image/webp": _image,
    "image/gif": _image,
    "text/markdown": _markdown,
    "text/latex": _latex,
    "application/json": _json,
    "application/javascript": _javascript,
}


def _vega(spec: Any, kind: str, url: str) -> str:
    if not url:
        return ""
    mode = "vega-lite" if kind == "vegalite" else "vega"
    call = f'vegaEmbed(document.currentScript.previousElementSibling, {_literal(spec)}, {{mode: "{mode}"}})'
    return f'<script src="{url}"></script><div></div><script>{call}</script>'


def _plotly(figure: Mapping[str, Any], url: str) -> str:
    if not url:
        return ""
    layout, config = figure.get("layout") or {}, {"responsive": True, **(figure.get("config") or {})}
    values = ", ".join(_literal(each) for each in (figure.get("data") or [], layout, config))
    call = f"Plotly.newPlot(document.currentScript.previousElementSibling, {values})"
    return f'<script src="{url}"></script><div class="plotly"></div><script>{call}</script>'


def _literal(value: Any) -> str:
    # Nothing in it can then end the script element or open a comment in it.
    return json.dumps(value).replace("<", "\\u003c")


def _error(output: Mapping[str, Any]) -> str:
    name, value = _text(output.get("ename")) or "Error", _text(output.get("evalue"))
    said = escape(f"{name}: {value}" if value else name, quote=False)
    trace = output.get("traceback") or []
    body = _lines("\n".join(trace) if isinstance(trace, list) else _text(trace))
    return f'<div class="error"><p><strong>{said}</strong></p>{body}</div>'


def _quiet(text: str) -> str:
    return f'<p class="quiet">{escape(text, quote=False)}</p>'


def _lines(text: str) -> str:
    """Returns text in `<pre>`; of long text the middle is folded away."""
    text = _overwritten(text.rstrip("\n"))
    count = text.count("\n") + 1
    if count <= _FOLD_AT_LINES:
        return f"<pre>{_ansi(text)}</pre>"
    # Cut by place: a list of the lines of 60 MB takes seconds and ten times the room.
    start, end = 0, len(text)
    for _ in range(_HEAD_LINES):
        start = text.index("\n", start) + 1
    for _ in range(_TAIL_LINES):
        end = text.rindex("\n", 0, end)
    summary = f"<summary>{count - _HEAD_LINES - _TAIL_LINES:,} more lines</summary>"
    folded = f'<details class="more">{summary}<pre>{_ansi(text[start:end])}</pre></details>'
    return f"<pre>{_ansi(text[: start - 1])}</pre>{folded}<pre>{_ansi(text[end + 1 :])}</pre>"


def _overwritten(text: str) -> str:
    """Returns what a terminal would show: after a carriage return, a line is written over (progress bars)."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))


def _ansi(text: str) -> str:
    text = text.replace("\x00", "")
    return str(ansi2html(text)) if "\x1b" in text else escape(text, quote=False)


def _text(value: Any) -> str:
    """Returns a notebook's text, which may come as a list of lines; "" for None."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return "" if value is None else str(value)
