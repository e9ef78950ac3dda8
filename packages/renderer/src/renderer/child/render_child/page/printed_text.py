"""Printed text as HTML: as a terminal would show it, long text folded, warnings separate and without server paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Final

from nbconvert.filters.ansi import ansi2html

_FOLD_AT_LINES: Final = 80
_HEAD_LINES: Final = 30
_TAIL_LINES: Final = 20
_CONTROLS: Final = re.compile(r"[\b\r]|\x1b\[\d*[ABCDGKJ]")
# Window titles, bells, and control sequences that neither move the cursor nor colour text.
_INVISIBLE: Final = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[(?!\d*[ABCDGJK]|[0-9;]*m)[?0-9;]*[@-~]|\x1b[()][A-Z0-9]"
    r"|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f]"
)
_STEP: Final = re.compile(r"(?P<colour>\x1b\[[0-9;]*m)|\x1b\[(?P<count>\d*)(?P<move>[ABCDGKJ])|(?P<char>[\s\S])")
# Longer text is handled more simply: each line shows only what was written after its last carriage return.
_MAX_MOVED: Final = 1_000_000
# A warning's text extends to the line of code that Python shows below it, to the next warning, or to the end. The
# quantifiers are possessive: without either, backtracking would take forever.
_WARNING: Final = re.compile(
    r"(?m)^(?P<path>/[^\n:]*|<[^\n>]*>):(?P<line>\d+): (?P<kind>\w*(?:Warning|Error)): "
    r"(?P<text>.*+(?:\n(?!  \S|/[^\n:]*:\d+: |<[^\n>]*>:\d+: ).*+)*+\n?+)(?P<source>  \S.*+\n?|)"
)
_PACKAGES: Final = re.compile(r"/\S*/(?:site-packages|lib/python3[.\d]*)/")
_GLYPH: Final = re.compile(r"Glyph (?P<code>\d{1,7}) \(.*\) missing from font\(s\) (?P<font>[^\n]{1,200})\.")
_CELL: Final = re.compile(r"/\w+/ipykernel_\d+/\d+\.py")


def lines_to_html(text: str) -> str:
    """Returns text in `<pre>`; the middle of long text is folded away."""
    text = terminal_text(text.rstrip("\n"))
    count = text.count("\n") + 1
    if count <= _FOLD_AT_LINES:
        return f"<pre>{_ansi(text)}</pre>"
    # Cut by position: splitting 60 MB into lines takes seconds and ten times the memory.
    start, end = 0, len(text)
    for _ in range(_HEAD_LINES):
        start = text.index("\n", start) + 1
    for _ in range(_TAIL_LINES):
        end = text.rindex("\n", 0, end)
    summary = f"<summary>{count - _HEAD_LINES - _TAIL_LINES:,} more lines</summary>"
    folded = f'<details class="more">{summary}<pre>{_ansi(text[start:end])}</pre></details>'
    return f"<pre>{_ansi(text[: start - 1])}</pre>{folded}<pre>{_ansi(text[end + 1 :])}</pre>"


def take_warnings(text: str) -> tuple[str, list[str]]:
    """Returns text from stderr without Python's warnings, and the warnings, each as one or more sentences.

    A warning loses the path of its file, which belongs to the server; a package's warning names the module instead.
    """
    if "Warning: " not in text and "Error: " not in text:
        return text, []
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        if not match["kind"].endswith("Warning") and "site-packages" in match["path"]:
            return match[0]
        found.append(f"{_place(match)}{match['kind']}: {match['text'].strip()}")
        return ""

    return _WARNING.sub(take, text), found


def _place(match: re.Match[str]) -> str:
    if _CELL.fullmatch(match["path"]):
        return f"Line {match['line']} of a cell: "
    module = _PACKAGES.sub("", match["path"]).removesuffix(".py")
    return "" if module.startswith(("/", "<")) else f"{module.replace('/', '.')}: "


def warnings_to_html(found: Iterable[str]) -> str:
    """Returns warnings, folded away; repeated ones appear once."""
    counted: dict[str, int] = {}
    glyphs: dict[str, list[str]] = {}
    for each in found:
        if missing := _GLYPH.search(each):
            glyphs.setdefault(missing["font"], []).append(chr(int(missing["code"])))
        else:
            counted[each] = counted.get(each, 0) + 1
    return "".join(_glyph_note(*each) for each in glyphs.items()) + _folded(counted)


def _glyph_note(font: str, characters: list[str]) -> str:
    shown = " ".join(dict.fromkeys(characters))[:200]
    words = f"The font {font} has no glyph for {shown}, so the figure shows boxes there. Use a font that has them."
    return f'<p class="quiet">{escape(words, quote=False)}</p>'


def _folded(counted: Mapping[str, int]) -> str:
    if not counted:
        return ""
    number = sum(counted.values())
    shown = [f"{text} ({count:,} times)" if count > 1 else text for text, count in counted.items()]
    summary = f"{number:,} warning{'s' if number > 1 else ''}"
    text = escape("\n".join(shown), quote=False)
    return f'<details class="more"><summary>{summary}</summary><pre>{text}</pre></details>'


def terminal_text(text: str) -> str:
    """Returns what a terminal would show: overwritten text is gone, colours stay."""
    text = _INVISIBLE.sub("", text)
    if not _CONTROLS.search(text):
        return text
    if len(text) > _MAX_MOVED:
        return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.replace("\b", "").split("\n"))
    return "\n".join(_Screen().write(text))


class _Screen:
    """Lines of cells, each a character with the colours before it, and a cursor."""

    def __init__(self) -> None:
        self._lines: list[list[tuple[str, str]]] = [[]]
        self._row = self._column = 0
        self._colour = ""

    def write(self, text: str) -> Iterator[str]:
        """Writes text; returns the resulting lines."""
        for step in _STEP.finditer(text):
            if step["colour"]:
                is_reset = step["colour"] in {"\x1b[0m", "\x1b[m"}
                self._colour = "" if is_reset else self._colour + step["colour"]
            elif step["move"]:
                self._move(step["move"], int(step["count"] or 0))
            else:
                self._put(step["char"])
        return map(_line_text, self._lines)

    def _put(self, char: str) -> None:
        if char == "\r":
            self._column = 0
        elif char == "\b":
            self._column = max(0, self._column - 1)
        elif char == "\n":
            self._row, self._column = self._row + 1, 0
            if self._row == len(self._lines):
                self._lines.append([])
        else:
            line = self._lines[self._row]
            line.extend([("", " ")] * (self._column - len(line)))
            line[self._column : self._column + 1] = [(self._colour, char)]
            self._column += 1

    def _move(self, kind: str, count: int) -> None:
        steps = max(1, min(count, 1000))
        line = self._lines[self._row]
        if kind == "A":
            self._row = max(0, self._row - steps)
        elif kind == "B":
            self._row = min(len(self._lines) - 1, self._row + steps)
        elif kind in "CD":
            self._column = max(0, self._column + (steps if kind == "C" else -steps))
        elif kind == "G":
            self._column = steps - 1
        elif kind == "J" and count == 2:
            self._lines, self._row, self._column = [[]], 0, 0
        elif count == 2:
            line.clear()
        elif count == 1:
            line[: self._column] = [("", " ")] * min(self._column, len(line))
        else:
            del line[self._column :]
            if kind == "J":
                del self._lines[self._row + 1 :]


def _line_text(line: list[tuple[str, str]]) -> str:
    pieces, colour = [], ""
    for own, char in line:
        if own != colour:
            pieces.append(f"\x1b[0m{own}" if colour else own)
            colour = own
        pieces.append(char)
    return "".join([*pieces, "\x1b[0m" if colour else ""])


def _ansi(text: str) -> str:
    return str(ansi2html(text)) if "\x1b" in text else escape(text, quote=False)
