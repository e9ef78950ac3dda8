"""What of an artifact can be shown at once: decided from its name, type and size before its bytes are read."""

from __future__ import annotations

import csv
import enum
import io
import itertools
import json
import mimetypes
from dataclasses import dataclass
from typing import Final

import nh3
from markdown_it import MarkdownIt

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream

PEEK_BYTES: Final = 64 * 1024
LARGEST_WHOLE_BYTES: Final = 8 * 1024**2
"""Images and HTML make sense only as a whole; above this they are offered for download."""
_MOST_ROWS: Final = 50
_MOST_COLUMNS: Final = 60
_LONGEST_CELL: Final = 300


class Kind(enum.StrEnum):
    """How an artifact is shown."""

    TABLE = "table"
    JSON = "json"
    TEXT = "text"
    MARKDOWN = "markdown"
    IMAGE = "image"
    HTML = "html"
    DIRECTORY = "directory"
    BINARY = "binary"
    TOO_LARGE = "too_large"
    EMPTY = "empty"


_BY_TYPE: Final = {"system.HTML": Kind.HTML, "system.Markdown": Kind.MARKDOWN}
_BY_SUFFIX: Final = {
    ".csv": Kind.TABLE,
    ".tsv": Kind.TABLE,
    ".json": Kind.JSON,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
}
# SVG is a document that can hold scripts: it is shown as an image only by the sandboxed content view.
IMAGE_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
_MAGIC: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first part of an artifact, parsed for its kind.

    Attributes:
        size_bytes: of the whole; None where the gateway did not say.
        is_cut: whether there is more than what is shown.
        markup: sanitised HTML, for Markdown only.
    """

    kind: Kind
    size_bytes: int | None = None
    is_cut: bool = False
    text: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    markup: str = ""


def kind_of(artifact: Artifact, head: bytes = b"", content_type: str = "") -> Kind:
    """Returns how to show an artifact, by its type, then its suffix, then its first bytes."""
    suffix = suffix_of(artifact)
    if artifact.type in _BY_TYPE:
        return _BY_TYPE[artifact.type]
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if image_type(artifact, head) or content_type.startswith("image/"):
        return Kind.IMAGE
    if b"\x00" in head or not _is_text(head):
        return Kind.BINARY
    return _kind_of_text(artifact, head)


def suffix_of(artifact: Artifact) -> str:
    """Returns the file's suffix in lower case; KFP's own names have none, then `metadata.format` may tell."""
    name, dot, suffix = artifact.file_name.rpartition(".")
    if name and dot:
        return f".{suffix.lower()}"
    told = artifact.metadata.get("format") or artifact.metadata.get("file_format")
    return f".{str(told).lower().lstrip('.')}" if told else ""


def image_type(artifact: Artifact, head: bytes = b"") -> str:
    """Returns an image's media type; "" for anything else."""
    by_magic = next((name for magic, name in _MAGIC if head.startswith(magic)), "")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        by_magic = "image/webp"
    return by_magic or IMAGE_TYPES.get(suffix_of(artifact), "")


def download_name(artifact: Artifact, *, is_directory: bool) -> str:
    """Returns the file name to save as: with a suffix that opens, where the type tells it."""
    name = artifact.file_name
    if is_directory:
        return f"{name}.tar.gz"
    if "." in name.strip("."):
        return name
    guessed = suffix_of(artifact) or {Kind.HTML: ".html", Kind.MARKDOWN: ".md"}.get(
        _BY_TYPE.get(artifact.type, Kind.BINARY), ""
    )
    return name + guessed


def media_type(artifact: Artifact) -> str:
    """Returns the media type of a download."""
    return mimetypes.guess_type(download_name(artifact, is_directory=False))[0] or "application/octet-stream"


def preview(artifact: Artifact, stream: ArtifactStream) -> Preview:
    """Reads as much of an artifact as its kind needs, and no more.

    Raises:
        EndpointDownError: the bytes broke off.
    """
    size = stream.size_bytes
    if stream.is_directory:
        return Preview(kind=Kind.DIRECTORY, size_bytes=size)
    head = stream.read(PEEK_BYTES)
    if not head:
        return Preview(kind=Kind.EMPTY, size_bytes=0)
    kind = kind_of(artifact, head, stream.content_type)
    if kind in {Kind.IMAGE, Kind.HTML} and size is not None and size > LARGEST_WHOLE_BYTES:
        return Preview(kind=Kind.TOO_LARGE, size_bytes=size)
    is_cut = len(head) >= PEEK_BYTES if size is None else size > len(head)
    return _parsed(kind, artifact, head, size_bytes=size if is_cut else len(head), is_cut=is_cut)


def _parsed(kind: Kind, artifact: Artifact, head: bytes, *, size_bytes: int | None, is_cut: bool) -> Preview:
    if kind in {Kind.IMAGE, Kind.HTML, Kind.BINARY}:
        return Preview(kind=kind, size_bytes=size_bytes, is_cut=is_cut)
    text = head.decode("utf-8-sig", "replace")
    if kind is Kind.TABLE:
        return _table(text, "\t" if suffix_of(artifact) == ".tsv" else "", size_bytes, is_cut=is_cut)
    markup = markdown(text) if kind is Kind.MARKDOWN else ""
    if kind is Kind.JSON and not is_cut:
        text = _indented(text)
    return Preview(kind=kind, size_bytes=size_bytes, is_cut=is_cut, text=text, markup=markup)


def markdown(text: str) -> str:
    """Returns Markdown as HTML without scripts, styles or anything loaded from elsewhere."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            # The page around it has headings down to the fourth level.
            token.tag = f"h{min(6, int(token.tag[1]) + 4)}"
    rendered = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(rendered, tags=nh3.ALLOWED_TAGS - {"img"})


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _table(text: str, delimiter: str, size_bytes: int | None, *, is_cut: bool) -> Preview:
    if is_cut:  # the last line may be cut in the middle
        text = text.rpartition("\n")[0] or text
    first_line = text.partition("\n")[0]
    chosen = delimiter or max(",;\t|", key=first_line.count)
    reader = csv.reader(io.StringIO(text), delimiter=chosen)
    try:
        lines = [tuple(_cell(cell) for cell in row[:_MOST_COLUMNS]) for row in itertools.islice(reader, _MOST_ROWS + 2)]
    except csv.Error:
        return Preview(kind=Kind.TEXT, size_bytes=size_bytes, is_cut=is_cut, text=text)
    header, rows = (lines[0], lines[1:]) if lines else ((), [])
    return Preview(
        kind=Kind.TABLE,
        size_bytes=size_bytes,
        is_cut=is_cut or len(rows) > _MOST_ROWS,
        header=header,
        rows=tuple(rows[:_MOST_ROWS]),
    )


def _cell(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "..."


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A cut inside the last character is no reason to call it binary.
        return error.start >= len(head) - 4
    return True


def _kind_of_text(artifact: Artifact, head: bytes) -> Kind:
    start = head.lstrip()[:256]
    if start[:1] in {b"{", b"["}:
        return Kind.JSON
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    lines = head.split(b"\n", 3)[:3]
    if artifact.type == "system.Dataset" and len(lines) > 1 and lines[0].count(b",") == lines[1].count(b",") > 0:
        return Kind.TABLE
    return Kind.TEXT
