"""TeX as MathML, which browsers draw by themselves. Nothing is loaded for it."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from latex2mathml.converter import convert

_ENVIRONMENTS: Final = (
    "align|aligned|alignat|array|bmatrix|Bmatrix|cases|displaymath|eqnarray|equation|gather|gathered|math|matrix"
    "|multline|pmatrix|smallmatrix|split|vmatrix|Vmatrix"
)
_MATH: Final = re.compile(
    r"(?<!\\)\$\$(?P<block>.+?)(?<!\\)\$\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|(?<![\\$])\$(?P<inline>[^$]+?)(?<!\\)\$"
    r"|\\\((?P<parenthesis>.+?)\\\)"
    rf"|(?P<environment>\\begin\{{(?P<name>{_ENVIRONMENTS})(?P<star>\*?)\}}.+?\\end\{{(?P=name)(?P=star)\}})",
    re.DOTALL,
)
# These only say "this is math": what they hold is the formula.
_WRAPPERS: Final = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}")
# Jupyter numbers no formulas, and these would be.
_NUMBERED: Final = re.compile(r"\\(begin|end)\{(align|eqnarray|gather|multline)\}")
# The converter writes out names it does not know; such a formula is better read as TeX.
_UNKNOWN: Final = re.compile(r"<m[iot][^>]*>\\[A-Za-z]+</m[iot]>")
_OPEN: Final = re.compile(r"(?<!\\)\{")
_CLOSE: Final = re.compile(r"(?<!\\)\}")
_MAX_CHARS: Final = 20_000


def tex_to_html(text: str) -> str:
    """Returns text/latex as HTML: its formulas drawn, the text around them as it is.

    LaTeX that is no math (a table, a document) is shown as source.
    """
    pieces, position = [], 0
    for match in _MATH.finditer(text):
        pieces.append(escape(text[position : match.start()], quote=False))
        pieces.append(_draw(match))
        position = match.end()
    if not pieces:
        return f'<pre class="tex">{escape(text)}</pre>'
    pieces.append(escape(text[position:], quote=False))
    return f'<div class="prose">{"".join(pieces).strip()}</div>'


def formula(tex: str, *, is_block: bool) -> str:
    """Returns one formula as MathML, or its source where the converter cannot read it."""
    # sympy opens every formula with this; a block has that style anyhow.
    tex = tex.strip().removeprefix("\\displaystyle").strip()
    drawn = _convert(_NUMBERED.sub(r"\\\1{\2*}", tex), "block" if is_block else "inline")
    if drawn:
        # A span, since Markdown puts it into a paragraph.
        return f'<span class="math">{drawn}</span>' if is_block else drawn
    return f'<code class="tex">{escape(tex)}</code>'


def environment(whole: str) -> str:
    r"""Returns a formula in an environment, with its `\\begin` and `\\end`."""
    return formula(_WRAPPERS.sub("", whole), is_block=True)


def _convert(tex: str, display: str) -> str:
    # Of a formula that breaks off, the converter makes half a fraction.
    if not tex or len(tex) > _MAX_CHARS or len(_OPEN.findall(tex)) != len(_CLOSE.findall(tex)):
        return ""
    try:
        drawn = str(convert(tex, display=display))
    # The converter ends in whatever error its parser met first: IndexError, StopIteration, its own.
    except Exception:  # noqa: BLE001
        return ""
    return "" if _UNKNOWN.search(drawn) else drawn


def _draw(match: re.Match[str]) -> str:
    if match["environment"]:
        return environment(match["environment"])
    block = match["block"] or match["bracket"]
    # `$\displaystyle x$` is how sympy and others write a block.
    is_block = bool(block) or (match["inline"] or "").lstrip().startswith("\\displaystyle")
    return formula(block or match["inline"] or match["parenthesis"], is_block=is_block)
