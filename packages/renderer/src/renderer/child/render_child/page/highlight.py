"""Python code as HTML with a handful of colours; all other tokens stay plain text, which costs nothing."""

from __future__ import annotations

from html import escape
from typing import Final

from pygments.lexers.python import PythonLexer
from pygments.token import Token, _TokenType

# From the specific to the general: the first one that contains a token determines its class.
_CLASSES: Final = (
    (Token.Comment, "c"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "m"),
    (Token.Operator.Word, "k"),
    (Token.Keyword, "k"),
    (Token.Name.Function, "f"),
    (Token.Name.Class, "f"),
    (Token.Name.Decorator, "d"),
    (Token.Name.Builtin, "b"),
)
# Longer code is not highlighted: nobody reads it for its colours, and a lexer takes a second for a megabyte.
_MAX_CHARS: Final = 100_000
_LEXER: Final = PythonLexer(stripnl=False, ensurenl=False)
_known: dict[_TokenType, str] = {}


def highlight(code: str) -> str:
    """Returns escaped code, tokens in `<span class="t-...">`."""
    if len(code) > _MAX_CHARS:
        return escape(code, quote=False)
    pieces: list[str] = []
    last, run = "", ""
    for token, text in _LEXER.get_tokens(code):
        name = _class_of(token)
        # White space has no colour, so it joins the current span.
        if name != last and not text.isspace():
            pieces.append(_span(last, run))
            last, run = name, ""
        run += text
    pieces.append(_span(last, run))
    return "".join(pieces)


def _class_of(token: _TokenType) -> str:
    if token not in _known:
        _known[token] = next((name for kind, name in _CLASSES if token in kind), "")
    return _known[token]


def _span(name: str, text: str) -> str:
    if not text:
        return ""
    return f'<span class="t-{name}">{escape(text, quote=False)}</span>' if name else escape(text, quote=False)
