"""Embeds files next to the source into the page: a result loads nothing, so it contains what a document refers to."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from . import files, html

MAX_FILE_BYTES: Final = 5_000_000
MAX_TEXT_BYTES: Final = 20_000_000
_MIMES: Final = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
_REFERENCE: Final = re.compile(
    r"""(?P<head><(?P<tag>img|script|link|source)\b[^<>]*?\b(?:src|href)\s*=\s*)(?P<quote>["'])(?P<url>[^"'<>]*)(?P=quote)""",
    re.IGNORECASE,
)
_IMAGE: Final = re.compile(r"(?P<head>!\[[^\]\n]*\]\(\s*<?)(?P<url>[^)\s>]+)")


def source_root(source: str) -> Path:
    """Returns the folder that a source's files may refer to: the source, or its nearest existing parent folder."""
    path = Path(source)
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path.resolve()


def find_beside(reference: str, place: Path, root: Path) -> Path | None:
    """Returns the regular file that a relative reference names; None if it leads out of the source or does not exist.

    Args:
        reference: from a document.
        place: the folder of the document.
        root: as returned by `source_root`.
    """
    parts = urlsplit(reference.strip())
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/") or "\x00" in reference:
        return None
    for name in (unquote(parts.path), parts.path):
        try:
            found = (place / name).resolve()
            if found.is_relative_to(root) and found.is_file() and _is_readable(found):
                return found
        except (OSError, ValueError):
            continue
    return None


def _is_readable(path: Path) -> bool:
    """Whether it may be opened: if the source is a single file, a render may not read the files next to it."""
    with path.open("rb"):
        return True


def image_type(content: bytes) -> str:
    """Returns the MIME type of an image that browsers display, by its first bytes; "" for anything else."""
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return (
        "image/svg+xml" if head.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in head else ""
    )


def data_url(content: bytes, kind: str) -> str:
    """Returns content as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def embed_html(text: str, place: Path, root: Path) -> str:
    """Returns HTML with the files that it refers to embedded; references that lead elsewhere stay unchanged."""

    def put_in(match: re.Match[str]) -> str:
        url = _embedded(match["url"], place, root)
        return f"{match['head']}{match['quote']}{url}{match['quote']}" if url else match[0]

    return _REFERENCE.sub(put_in, text)


def embed_markdown(text: str, place: Path, root: Path) -> str:
    """Returns Markdown with the images that it refers to embedded."""

    def put_in(match: re.Match[str]) -> str:
        url = _embedded(match["url"], place, root)
        return f"{match['head']}{url}" if url else match[0]

    return embed_html(_IMAGE.sub(put_in, text), place, root)


def _embedded(reference: str, place: Path, root: Path) -> str:
    found = find_beside(html_unescape(reference), place, root)
    kind = _MIMES.get(found.suffix.lower(), "") if found else ""
    if not found or not kind or found.stat().st_size > MAX_FILE_BYTES:
        return ""
    return data_url(found.read_bytes(), kind)


def html_unescape(text: str) -> str:
    """Decodes the text of an attribute."""
    from html import unescape

    return unescape(text)


def read_documents(
    source: str, source_uri: str, patterns: tuple[str, ...], *, wanted: str = "", max_files: int = 20
) -> list[tuple[Path, str]]:
    """Returns a source's text documents with their paths.

    Args:
        source: the source.
        source_uri: its address, for people.
        patterns: names of files in a folder to include.
        wanted: the name of the only one to show; "" for all.
        max_files: how many are allowed.

    Raises:
        ValueError: there are none, too many, or they are too large; the text is for people.
    """
    paths = files.source_files(source, source_uri, patterns=patterns)
    if wanted:
        names = _names(paths)
        paths = [path for path in paths if path.name == wanted]
        if not paths:
            raise ValueError(f'There is no "{wanted}" in the source. There are: {names}.')
    if len(paths) > max_files:
        raise ValueError(f"{len(paths)} files are too many to show in one. Name one of them: {_names(paths)}.")
    total = sum(path.stat().st_size for path in paths)
    if total > MAX_TEXT_BYTES:
        raise ValueError(f"{total / 1e6:.0f} MB of text are too much for one page; the limit is 20 MB.")
    return [(path, path.read_text(encoding="utf-8-sig", errors="replace")) for path in paths]


def _names(paths: Iterable[Path]) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:20]) + (" and more" if len(names) > 20 else "")


def show_documents(documents: list[tuple[Path, str]], make: Callable[[Path, str], str]) -> None:
    """Displays each document, with its name if there are several."""
    for path, text in documents:
        title = f'<h2 class="vk-name">{html.text(path.name)}</h2>' if len(documents) > 1 else ""
        html.show(title, make(path, text))
