"""TeX as MathML, which browsers render natively, so pages load nothing for it."""

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
# These environments only mark math: their content is the formula.
_WRAPPERS: Final = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}")
# Jupyter does not number formulas, but these environments would.
_NUMBERED: Final = re.compile(r"\\(begin|end)\{(align|eqnarray|gather|multline)\}")
# The converter outputs unknown names as text; such a formula is easier to read as TeX.
_UNKNOWN: Final = re.compile(r"<m[iot][^>]*>\\[A-Za-z]+</m[iot]>")
_OPEN: Final = re.compile(r"(?<!\\)\{")
_CLOSE: Final = re.compile(r"(?<!\\)\}")
_MAX_CHARS: Final = 20_000


def tex_to_html(text: str) -> str:
    """Returns text/latex as HTML: formulas rendered, the text around them unchanged.

    LaTeX other than math (a table, a document) is shown as source.
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
    """Returns one formula as MathML, or its source if the converter cannot read it."""
    # sympy starts every formula with this; a block has that style anyway.
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
    # The converter turns an unfinished formula into something like half a fraction.
    if not tex or len(tex) > _MAX_CHARS or len(_OPEN.findall(tex)) != len(_CLOSE.findall(tex)):
        return ""
    try:
        drawn = str(convert(tex, display=display))
    # The converter raises whatever error its parser hits first: IndexError, StopIteration, its own.
    except Exception:  # noqa: BLE001
        return ""
    return "" if _UNKNOWN.search(drawn) else drawn


def _draw(match: re.Match[str]) -> str:
    if match["environment"]:
        return environment(match["environment"])
    block = match["block"] or match["bracket"]
    # sympy and others write a block as `$\displaystyle x$`.
    is_block = bool(block) or (match["inline"] or "").lstrip().startswith("\\displaystyle")
    return formula(block or match["inline"] or match["parenthesis"], is_block=is_block)
