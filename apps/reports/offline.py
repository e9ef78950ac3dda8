"""Exports a report as one file that opens offline.

Results are not parsed: their bytes become the value of an attribute, in which only `&` and `"` are special. The browser
draws each in a frame without an origin, under the file's own policy, which allows no network access.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from django.template.loader import render_to_string

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.reports.models import BlockKind, ReportVersion
from apps.reports.selectors import ShownBlock
from apps.runs.previews.texts import markdown
from apps.visualizations.models import Render
from apps.visualizations.services.assets import inline_assets
from apps.visualizations.services.results import result_open

MOST_BYTES: Final = 200 * 1024**2
# A file has no headers; a `srcdoc` frame inherits this policy.
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; style-src 'unsafe-inline' blob: data:; "
    "img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; connect-src 'none'; "
    "form-action 'none'; base-uri 'none'"
)
_FOLDER: Final = Path(__file__).parent


def report_file(caller: Caller, version: ReportVersion, blocks: Sequence[ShownBlock]) -> Iterator[bytes]:
    """Yields a version of a report as one self-contained page.

    Results beyond MOST_BYTES, and results that the store has lost or damaged, are listed but left out.

    Args:
        blocks: the blocks as the caller may see them.
    """
    caller.require(Right.VIEW)
    return _pieces(version, blocks)


def _pieces(version: ReportVersion, blocks: Sequence[ShownBlock]) -> Iterator[bytes]:
    style, script = (_FOLDER / f"offline.{kind}" for kind in ("css", "js"))
    head = {"style": style.read_text("utf-8"), "script": script.read_text("utf-8"), "policy": POLICY}
    page = render_to_string("reports/offline.html", {"version": version} | head)
    before, _, after = page.partition("<!-- blocks -->")
    yield before.encode()
    sent = 0
    for block in blocks:
        if block.kind is BlockKind.TEXT:
            yield f"<section>{markdown(block.text, first_heading=2)}</section>\n".encode()
            continue
        for piece in _result(block, MOST_BYTES - sent):
            sent += len(piece)
            yield piece
    yield after.encode()


def _result(block: ShownBlock, left_bytes: int) -> Iterator[bytes]:
    content, missing = None, block.missing
    if block.render is not None and not missing:
        content, missing = _opened(block.render, left_bytes)
    context = {"block": block, "missing": missing, "figures": block.render.figures.all() if block.render else ()}
    text = render_to_string("reports/offline_result.html", context)
    before, _, after = text.partition("<!-- frame -->")
    yield before.encode()
    if content is not None:
        yield from _frame(block.title, content)
    yield after.encode()


def _opened(render: Render, left_bytes: int) -> tuple[Iterator[bytes] | None, str]:
    """Returns a result's bytes, or the reason why they are missing."""
    if (render.html_bytes or 0) > left_bytes:
        return None, f"Left out: with this result the file would be larger than {MOST_BYTES // 1024**2} MB."
    try:
        return iter(inline_assets(result_open(render, "html"))), ""
    except OSError:
        return None, "Left out: the stored result cannot be read, or is not what was saved."


def _frame(title: str, content: Iterator[bytes]) -> Iterator[bytes]:
    yield b'<iframe sandbox="allow-scripts" loading="lazy" title="' + _escaped(title.encode()) + b'" srcdoc="'
    for chunk in content:
        yield _escaped(chunk)
    yield b'"></iframe>'


def _escaped(chunk: bytes) -> bytes:
    # Both are single bytes in UTF-8 and part of no other character, so chunks may be cut anywhere.
    return chunk.replace(b"&", b"&amp;").replace(b'"', b"&quot;")
