"""Extracts the first picture of a result's page: `picture.py PAGE svg|png` writes it to standard output.

A separate program, never imported in a render, because vl-convert keeps threads and half a gigabyte. It runs confined,
because the page is untrusted. Writes nothing if the page has no picture.
"""

from __future__ import annotations

import base64
import html
import json
import re
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# The first of these on the page is its picture.
_SPEC: Final = r'<script type="application/json" class="vizkit-spec">(?P<spec>.*?)</script>'
_SPECS: Final = r'<script type="application/json" class="vizkit-specs">(?P<specs>.*?)</script>'
_IMAGE: Final = (
    r'<img\b[^<>]*?\bsrc="data:image/(?P<kind>png|jpeg|gif|webp|svg\+xml);base64,(?P<image>[A-Za-z0-9+/=\s]+)"'
)
_DRAWN: Final = r"(?P<svg><svg\b.*?</svg>)"
_PICTURE: Final = re.compile(f"{_SPEC}|{_SPECS}|{_IMAGE}|{_DRAWN}", re.DOTALL)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SCALE: Final = 2.0
_MOST_MEMORY: Final = 1536 * 1024**2
_VEGA_LITE: Final = "6.4"


def picture(page: str, kind: str) -> bytes:
    """Returns the picture; b"" if the page has none, or if it is not available in this format.

    Args:
        page: the HTML.
        kind: "svg" or "png".
    """
    _, _, body = page.partition("<main>")
    found = _PICTURE.search(body or page)
    if not found:
        return b""
    if found["spec"] or found["specs"]:
        return _of_spec(json.loads(found["spec"]) if found["spec"] else json.loads(found["specs"])["first"], kind)
    return (
        _of_svg(found["svg"], kind)
        if found["svg"]
        else _of_image(base64.b64decode(found["image"]), found["kind"], kind)
    )


def _of_image(content: bytes, has: str, kind: str) -> bytes:
    if has == "svg+xml":
        return _of_svg(content.decode(), kind)
    if kind == "png":
        return content if content.startswith(_PNG) else b""
    return _wrapped(content, has)


def _of_spec(spec: dict[str, Any], kind: str) -> bytes:
    import vl_convert

    # Nothing is fetched: a specification of the toolkit contains everything it needs.
    of: dict[str, Callable[[], str | bytes]] = (
        {"svg": lambda: vl_convert.vega_to_svg(spec), "png": lambda: vl_convert.vega_to_png(spec, scale=_SCALE)}
        if "/vega/" in str(spec.get("$schema", ""))
        else {
            "svg": lambda: vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE),
            "png": lambda: vl_convert.vegalite_to_png(spec, vl_version=_VEGA_LITE, scale=_SCALE),
        }
    )
    made = of[kind]()
    return made.encode() if isinstance(made, str) else made


def _of_svg(svg: str, kind: str) -> bytes:
    if 'xmlns="' not in svg[:2000]:
        # An SVG element needs no namespace in a page, but does in a separate file.
        svg = html.unescape(svg) if "&nbsp;" in svg else svg
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    if kind == "svg":
        return svg.encode()
    import vl_convert

    made: bytes = vl_convert.svg_to_png(svg, scale=_SCALE)
    return made


def _wrapped(content: bytes, kind: str) -> bytes:
    """Returns an SVG that contains a bitmap."""
    width, height = struct.unpack(">II", content[16:24]) if content.startswith(_PNG) else (640, 480)
    data = base64.b64encode(content).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/{kind};base64,{data}"/></svg>'
    ).encode()


if __name__ == "__main__":
    # V8 reserves terabytes of addresses, so the limit applies to data instead, which is what a page can make grow.
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
    sys.stdout.buffer.write(picture(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2]))
