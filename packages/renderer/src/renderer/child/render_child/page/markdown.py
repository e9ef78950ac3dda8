"""Markdown as on GitHub and in Jupyter: tables, footnotes, alerts, task lists, headings with ids, rendered formulas."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any, Final

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser, import_plugin

from .highlight import highlight
from .mathml import environment, formula

_PLUGINS: Final = ("strikethrough", "table", "url", "task_lists", "def_list", "footnotes")
_PYTHON: Final = frozenset({"python", "python3", "py", "ipython", "ipython3"})
_CHAR: Final = r"(?:\\[\s\S]|[^$\\])"
# As in Pandoc, a formula neither begins nor ends with a space and no digit follows it, or "$5 and $10" would match.
# Jupyter allows spaces too; then the formula has to be a single word or contain a mathematical sign.
_INLINE_MATH: Final = (
    rf"(?<![$\\])\$(?P<math_inline_tex>(?!\s){_CHAR}+?(?<!\s)"
    rf"|\s+(?:[^\s$]+|(?=[^$]*[\\^_={{}}+*/<>|]){_CHAR}+?)\s+)\$(?![\d$])"
)
_ALERT: Final = re.compile(r"\A\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br\s*/?>)?\s*(</p>)?")
_TAG: Final = re.compile(r"<[^<>]*>")
_NO_SLUG: Final = re.compile(r"[^\w\- ]")


def markdown_to_html(text: str) -> str:
    """Returns Markdown as HTML with its math rendered; HTML in it stays HTML, as in notebooks."""
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer, inline=_Inline(hard_wrap=False), plugins=_plugins()).render(text))


def _plugins() -> list[Any]:
    return [import_plugin(name) for name in _PLUGINS]


class _Inline(MathInlineParser):  # type: ignore[misc]
    """nbconvert's parser, changed so that two prices are not taken for a formula."""

    SPECIFICATION = {**MathInlineParser.SPECIFICATION, "inline_math_tex": _INLINE_MATH}


class _Renderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's renderer, changed to render math instead of leaving it to MathJax."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._slugs: dict[str, int] = {}

    def block_math(self, body: str) -> str:
        """Renders `$$ x $$`."""
        return formula(body, is_block=True)

    def inline_math(self, body: str) -> str:
        """Renders `$ x $`, and GitHub's ``$`x`$``."""
        return formula(body.removeprefix("`").removesuffix("`"), is_block=False)

    def latex_environment(self, name: str, body: str) -> str:
        r"""Renders `\\begin{name} x \\end{name}`."""
        return environment(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def block_code(self, code: str, info: str | None = None) -> str:
        """Renders a fenced block in the page's own colours; GitHub's ```` ```math ```` is a formula."""
        language = (info or "").strip().partition(" ")[0].lower()
        if language == "math":
            return formula(code.strip(), is_block=True)
        return f'<pre class="code">{highlight(code) if language in _PYTHON else escape(code, quote=False)}</pre>'

    def heading(self, text: str, level: int, **attrs: Any) -> str:  # noqa: ARG002  (mistune's signature)
        """Renders a heading with the id that GitHub gives it, for tables of contents."""
        slug = _NO_SLUG.sub("", unescape(_TAG.sub("", text)).strip().lower()).replace(" ", "-") or "section"
        count = self._slugs.get(slug, 0)
        self._slugs[slug] = count + 1
        return f'<h{level} id="{escape(f"{slug}-{count}" if count else slug)}">{text}</h{level}>\n'

    def block_quote(self, text: str) -> str:
        """Renders a quotation, or one of GitHub's alerts (`> [!NOTE]`)."""
        alert = _ALERT.match(text)
        if not alert:
            return f"<blockquote>\n{text}</blockquote>\n"
        kind, rest = alert[1].lower(), text[alert.end() :]
        inner = rest if alert[2] else f"<p>{rest}"
        return f'<div class="alert alert-{kind}"><p class="alert-title">{kind.capitalize()}</p>{inner}</div>\n'

    def task_list_item(self, text: str, checked: bool = False) -> str:  # noqa: FBT001, FBT002  (mistune's signature)
        """Renders an item of a task list."""
        state = ' checked aria-label="done"' if checked else ' aria-label="to do"'
        return f'<li class="task"><input type="checkbox" disabled{state}> {text}</li>\n'

    def image(self, text: str, url: str, title: Any = None) -> str:
        """Renders an image; a missing attachment is replaced by its name instead of ending the render."""
        if url.startswith("attachment:") and url.removeprefix("attachment:") not in self.attachments:
            return f"<em>{escape(text or url)}</em>"
        return str(super().image(text, url, title))
