"""Replaces library code in pages, both URLs and inlined files, by references `/assets/<sha256>.<kind>`.

The index was written when the environment was built (asset_index.py). Standard library only, because a render host
imports this module before it forks. A page without library code is returned unchanged after a few plain text searches.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_LOOK_BACK: Final = 600
# What may precede a library's text in a script element without being part of a program.
_COMMENTS: Final = r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*\n)*"
_OPENING: Final = re.compile(rf"<(?P<tag>script|style)(?P<attributes>\b[^<>]*)>{_COMMENTS}\Z", re.IGNORECASE)
_CLOSING: Final = re.compile(rf"{_COMMENTS}</(?:script|style)\s*>", re.IGNORECASE)
# Our address already identifies the content. An integrity or crossorigin attribute applied to the replaced address
# only.
_VOUCHING: Final = re.compile(r"""\s+(?:integrity|crossorigin)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?(?=[\s/>])""")
_TAG: Final = re.compile(r"<(?:script|link)\b[^<>]*\Z", re.IGNORECASE)
_REPEATED: Final = re.compile(r"""<script\b[^<>]*\bsrc="(/assets/[0-9a-f]{64}\.js)"[^<>]*></script>""")
# BokehJS's loader fetches its parts in sequence, but the plots on the page draw as soon as the first part is there. In
# a notebook the next cell comes later; in a page it does not.
_LOADER: Final = re.compile(r"""const js_urls = \[((?:(?:, )?"/assets/[0-9a-f]{64}\.js")+)\];""")
# A module import for side effects, of a library that is also a plain script. One script element then loads it for all,
# and a download need not import a 6 MB data URL (Chromium takes 16 s for that, and 0.3 s for the same as a script
# source).
_IMPORT: Final = re.compile(r"""<script type="module">\s*import\s*"(/assets/[0-9a-f]{64}\.js)";?\s*</script>""")
# Altair's pages name the versions current at their time. The bundled version draws the specifications of all of them.
_VEGA: Final = re.compile(r"(//cdn\.jsdelivr\.net/npm/vega(?:-lite|-embed)?@)\d[\w.]*")
_QUOTES: Final = frozenset("\"'")


@dataclass(frozen=True)
class _Inlined:
    form: str
    length: int
    digest: str
    before: str
    after: str
    replacement: str
    url: str


@dataclass(frozen=True)
class _Host:
    """The addresses of one host: found by plain text search, then matched, longest first."""

    start: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass
class AssetIndex:
    """What an environment's libraries write into pages, and the asset address of each library."""

    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)
    _hosts: list[_Host] = field(default_factory=list)
    _heads: dict[str, list[_Inlined]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> AssetIndex:
        """Reads index.json.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is not a valid index.
        """
        try:
            assets = json.loads(path.read_text(encoding="utf-8"))["assets"]
            index = cls()
            for asset in assets:
                index._add(asset)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is not an index of assets: {error}") from error
        index._hosts = [_make_host(start, urls) for start, urls in _by_host(index._urls).items()]
        return index

    def _add(self, asset: dict[str, Any]) -> None:
        url = f"/assets/{asset['sha256']}.{asset['kind']}"
        self._names[asset["name"], asset["kind"]] = url
        self._urls.update((each.removeprefix("https:"), url) for each in asset["urls"])
        # By the address without a version, too.
        self._urls.update((_VEGA.sub(r"\1", each.removeprefix("https:")), url) for each in asset["urls"])
        for each in asset["inlined"]:
            known = _Inlined(
                form=each["form"],
                length=each["length"],
                digest=each["sha256"],
                before=each["before"],
                after=each["after"],
                replacement=each["replacement"],
                url=url,
            )
            self._heads.setdefault(each["head"], []).append(known)

    def url(self, name: str, kind: str = "js") -> str:
        """Returns the asset address of a library; "" if this environment has none of that name."""
        return self._names.get((name, kind), "")

    def rewrite(self, html: str) -> str:
        """Returns the page with library code by reference; only one script element loads each library."""
        html = _apply(html, self._find_inlined(html))
        html = _apply(html, self._find_addresses(html))
        html = _apply(html, _find_loaders(html))
        return _drop_repeats(_as_elements(html))

    def _find_inlined(self, html: str) -> Iterator[_Edit]:
        for head, known in self._heads.items():
            if len(html) < min(each.length for each in known):
                continue
            start = html.find(head)
            while start >= 0:
                edit = next(filter(None, (_match_inlined(html, start, each) for each in known)), None)
                if edit:
                    yield edit
                start = html.find(head, edit.end if edit else start + len(head))

    def _find_addresses(self, html: str) -> Iterator[_Edit]:
        for host in self._hosts:
            position = html.find(host.start)
            while position >= 0:
                match = host.pattern.match(html, position)
                url = match and self._urls.get(match[0], self._urls.get(_VEGA.sub(r"\1", match[0]), ""))
                if match and url:
                    yield from _replace_address(html, match, url)
                position = html.find(host.start, match.end() if match else position + len(host.start))


def _by_host(urls: dict[str, str]) -> dict[str, list[str]]:
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(url[: url.index("/", 2) + 1], []).append(url)
    return hosts


def _make_host(start: str, urls: list[str]) -> _Host:
    longest_first = sorted(urls, key=len, reverse=True)
    any_version = [rf"{_VEGA.pattern}(?:\?noext)?"] if any(map(_VEGA.match, urls)) else []
    return _Host(start=start, pattern=re.compile("|".join([*any_version, *map(re.escape, longest_first)])))


def _match_inlined(html: str, start: int, known: _Inlined) -> _Edit | None:
    end = start + known.length
    text = html[start:end]
    if len(text) < known.length or hashlib.sha256(text.encode(errors="replace")).hexdigest() != known.digest:
        return None
    if known.form == "call":
        first = start - len(known.before)
        if first < 0 or not html.startswith(known.before, first) or not html.startswith(known.after, end):
            return None
        return _Edit(start=first, end=end + len(known.after), text=known.replacement.replace("{url}", known.url))
    begin = max(0, start - _LOOK_BACK)
    opening, closing = _OPENING.search(html[begin:start]), _CLOSING.match(html, end)
    if not opening or not closing:
        return None
    if opening["tag"].lower() == "style":
        element = f'<link rel="stylesheet" href="{known.url}">'
    else:
        element = f'<script{opening["attributes"]} src="{known.url}"></script>'
    return _Edit(start=begin + opening.start(), end=closing.end(), text=element)


def _replace_address(html: str, match: re.Match[str], url: str) -> Iterator[_Edit]:
    """Yields the edits for one address; none unless it is a whole quoted string, since text may mention an address."""
    start, end = match.span()
    while html[max(0, start - 6) : start].endswith(("https:", "http:")):
        start = html.rindex("http", 0, start)
    quote = html[start - 1 : start]
    if quote not in _QUOTES or not html.startswith((quote, f"\\{quote}"), end):
        return
    begin = max(0, start - _LOOK_BACK)
    tag = _TAG.search(html[begin:start])
    if not tag:
        yield _Edit(start=start, end=end, text=url)
        return
    close = html.find(">", end) + 1
    whole = html[begin + tag.start() : start] + url + html[end:close]
    yield _Edit(start=begin + tag.start(), end=close, text=_VOUCHING.sub("", whole))


def _find_loaders(html: str) -> Iterator[_Edit]:
    """Yields edits that insert script elements before the script that would load the same files, and empty its list."""
    if 'const js_urls = ["/assets/' not in html:
        return
    for match in _LOADER.finditer(html):
        begin = html.rfind("<script", 0, match.start())
        if begin < 0 or html.find("</script", begin, match.start()) >= 0:
            continue
        elements = "".join(f"<script src={url}></script>" for url in match[1].split(", "))
        yield _Edit(start=begin, end=begin, text=elements)
        yield _Edit(start=match.start(), end=match.end(), text="const js_urls = [];")


def _apply(html: str, edits: Iterator[_Edit]) -> str:
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda each: each.start):
        if edit.start < position:
            continue
        pieces += [html[position : edit.start], edit.text]
        position = edit.end
    if not pieces:
        return html
    pieces.append(html[position:])
    return "".join(pieces)


def _as_elements(html: str) -> str:
    return _IMPORT.sub(r'<script src="\1"></script>', html) if 'import "/assets/' in html else html


def _drop_repeats(html: str) -> str:
    """Keeps the first of several equal script elements: a library that ran twice would lose its state."""
    if html.count('src="/assets/') < 2:
        return html
    seen: set[str] = set()

    def keep(match: re.Match[str]) -> str:
        if match[1] in seen:
            return ""
        begin = max(0, match.start() - 20 * _LOOK_BACK)
        is_comment = html.rfind("<!--", begin, match.start()) > html.rfind("-->", begin, match.start())
        if not is_comment:
            seen.add(match[1])
        return match[0]

    return _REPEATED.sub(keep, html)
