"""One output of a cell as HTML: the richest form available, or a note if none of its forms can be drawn."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape, unescape
from itertools import groupby
from typing import Any, Final

from .markdown import markdown_to_html
from .mathml import tex_to_html
from .printed_text import lines_to_html, take_warnings, warnings_to_html
from .widgets import widget_to_html

# Returns the asset address of a library, "" if there is none.
Library = Callable[[str], str]
_VEGA: Final = re.compile(r"application/vnd\.(vega|vegalite)\.v\d+(?:\.\d+)*[.+]json")
_PLOTLY: Final = "application/vnd.plotly.v1+json"
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
# Bokeh's data next to its page, and key figures, which the portal shows.
_UNSHOWN: Final = ("application/vnd.bokehjs_", "application/vnd.vizportal.")
_DATA_FRAME: Final = 'class="dataframe"'
_MEDIA: Final = re.compile(r"(image|audio|video)/[a-z0-9.+-]{1,40}")
_SVG: Final = re.compile(r"<svg\b[^>]*>", re.IGNORECASE)
_SVG_TITLE: Final = re.compile(r"<title[^>]*>([^<]{1,200})</title>", re.IGNORECASE)
_SCRIPT_END: Final = re.compile(r"</(?=script)", re.IGNORECASE)
# BokehJS's own scripts say where they draw; others may expect the element of their output, as in Jupyter.
_WANTS_ELEMENT: Final = re.compile(r"\belement\b")


def outputs_to_html(
    outputs: Iterable[Mapping[str, Any]],
    library: Library,
    *,
    models: Mapping[str, Any] | None = None,
    warnings: list[str] | None = None,
) -> Iterator[str]:
    """Yields one piece of HTML for each output that shows something; consecutive printed text is one piece.

    Args:
        library: called with "plotly" or "vega" for outputs that are data for it.
        models: the state of the notebook's widgets, by model id.
        warnings: collects printed Python warnings; if None, they appear where they were printed.
    """
    for name, group in groupby(outputs, key=_stream_name):
        if name:
            text, found = take_warnings("".join(_text(each.get("text")) for each in group))
            if text.strip():
                yield f'<div class="{name}">{lines_to_html(text)}</div>'
            if warnings is not None:
                warnings += found
            elif found:
                yield warnings_to_html(found)
            continue
        for output in group:
            html = _safely(output, library, models or {})
            if html:
                yield html


def _stream_name(output: Mapping[str, Any]) -> str:
    if output.get("output_type") != "stream":
        return ""
    return "stderr" if output.get("name") == "stderr" else "stdout"


def _safely(output: Mapping[str, Any], library: Library, models: Mapping[str, Any]) -> str:
    try:
        if output.get("output_type") == "error":
            return _error(output)
        data = output.get("data") or {}
        if _WIDGET in data and "text/html" not in data:
            return _widget(data, library, models)
        return _bundle(output.get("data") or {}, output.get("metadata") or {}, library)
    # Code may publish any object under any type; one malformed output must not affect the others.
    except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        return _quiet(f"This output could not be shown ({type(error).__name__}: {error}).")


def _bundle(data: Mapping[str, Any], metadata: Mapping[str, Any], library: Library) -> str:
    # Data for an available library come first: HTML saved next to them may load another version from a CDN.
    for mime in data:
        kind = _VEGA.fullmatch(mime)
        html = _vega(data[mime], kind[1], library("vega")) if kind else ""
        html = html or (_plotly(data[mime], library("plotly")) if mime == _PLOTLY else "")
        if html:
            return html
    for mime, draw in _DRAW.items():
        if mime in data:
            return draw(data, metadata.get(mime) or {}, mime)
    for mime in data:
        media = _MEDIA.fullmatch(mime)
        if media:
            return _media(data, mime, media[1])
    return _plain(data)


def _widget(data: Mapping[str, Any], library: Library, models: Mapping[str, Any]) -> str:
    def draw(outputs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        return outputs_to_html(outputs, library, models=models)

    shown = widget_to_html(str((data[_WIDGET] or {}).get("model_id", "")), models, draw)
    text = "" if shown else _text(data.get("text/plain"))
    words = "A widget: it needs a running kernel, so only what it shows is here."
    return f'{shown}<div class="quiet">{lines_to_html(text) if text.strip() else ""}<p>{words}</p></div>'


def _plain(data: Mapping[str, Any]) -> str:
    if "application/pdf" in data:
        size_kb = len(data["application/pdf"]) * 3 // 4000
        return _quiet(f"A PDF document ({size_kb:,} kB), which is kept in the notebook.")
    text = _text(data.get("text/plain"))
    if text:
        return lines_to_html(text)
    named = [mime for mime in data if not mime.startswith(_UNSHOWN)]
    return _quiet(f"An output of type {', '.join(named)}, which cannot be drawn here.") if named else ""


def _html(data: Mapping[str, Any], _: Mapping[str, Any], mime: str) -> str:
    text = _text(data[mime])
    if _DATA_FRAME in text:
        # pandas writes the corner above its index as an empty heading.
        text = text.replace("<th></th>", "<td></td>")
    return f'<div class="rich">{text}</div>'


def _image(data: Mapping[str, Any], metadata: Mapping[str, Any], mime: str) -> str:
    content = _text(data[mime]).replace("\n", "")
    alt = escape(_text(data.get("text/plain")) or "figure")
    size = "".join(f' {name}="{int(metadata[name])}"' for name in ("width", "height") if metadata.get(name))
    return f'<img src="data:{mime};base64,{escape(content)}" alt="{alt}"{size}>'


def _svg(data: Mapping[str, Any], metadata: Mapping[str, Any], mime: str) -> str:
    """Returns an SVG as an image: ids, classes and styles of two inline SVGs on one page would conflict."""
    text = _text(data[mime])
    start = _SVG.search(text)
    if not start:
        return _quiet("An output of type image/svg+xml that is not SVG.")
    names = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
    # HTML needs no namespaces, but an image does.
    missing = "".join(f' {name}="{url}"' for name, url in names.items() if f"{name}=" not in start[0])
    whole = f"{text[: start.start() + 4]}{missing}{text[start.start() + 4 :]}"
    title = _SVG_TITLE.search(text)
    content = base64.b64encode(whole.encode("utf-8", "replace")).decode()
    alt = unescape(title[1].strip()) if title else _text(data.get("text/plain")) or "figure"
    return _image({mime: content, "text/plain": alt}, metadata, mime)


def _media(data: Mapping[str, Any], mime: str, kind: str) -> str:
    """Returns an image, audio or video that the bundle itself contains."""
    if kind == "image":
        return _image(data, {}, mime)
    content = escape(_text(data[mime]).replace("\n", ""))
    label = escape(_text(data.get("text/plain")) or kind)
    return f'<{kind} controls src="data:{mime};base64,{content}" aria-label="{label}"></{kind}>'


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
    return lines_to_html(json.dumps(data[mime], indent=1, ensure_ascii=False))


_DRAW: Final[dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], str]]] = {
    "text/html": _html,
    "image/svg+xml": _svg,
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
    # So nothing in it can end the script element or open a comment in it.
    return json.dumps(value).replace("<", "\\u003c")


def _error(output: Mapping[str, Any]) -> str:
    name, value = _text(output.get("ename")) or "Error", _text(output.get("evalue"))
    said = escape(f"{name}: {value}" if value else name, quote=False)
    trace = output.get("traceback") or []
    body = lines_to_html("\n".join(trace) if isinstance(trace, list) else _text(trace))
    return f'<div class="error"><p><strong>{said}</strong></p>{body}</div>'


def _quiet(text: str) -> str:
    return f'<p class="quiet">{escape(text, quote=False)}</p>'


def _text(value: Any) -> str:
    """Returns a notebook's text, which may be a list of lines; "" for None."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return "" if value is None else str(value)
