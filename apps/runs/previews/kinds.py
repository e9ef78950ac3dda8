"""How an artifact is shown, decided by its type, its name and its first bytes; and what it is called when saved."""

from __future__ import annotations

import json
import mimetypes
from typing import Final

from apps.runs.entities import Artifact
from apps.runs.previews import texts
from apps.runs.previews.shapes import Kind

_BY_TYPE: Final = {"system.HTML": Kind.HTML, "system.Markdown": Kind.MARKDOWN}
_BY_SUFFIX: Final = {
    ".csv": Kind.TABLE,
    ".tsv": Kind.TABLE,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSON_LINES,
    ".ndjson": Kind.JSON_LINES,
    ".ipynb": Kind.NOTEBOOK,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
}
_TEXT_SUFFIXES: Final = frozenset({".txt", ".log", ".yaml", ".yml", ".toml", ".ini", ".py", ".sql", ".xml", ".pbtxt"})
IMAGE_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    # A document that can hold scripts: it is served under the sandbox's policy only.
    ".svg": "image/svg+xml",
}
_IMAGE_MAGIC: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
GZIP_MAGIC: Final = b"\x1f\x8b"
_STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
_MAGIC: Final = (
    (b"%PDF-", Kind.PDF),
    (GZIP_MAGIC, Kind.ARCHIVE),
    (b"PAR1", Kind.COLUMNAR),
    (b"ARROW1", Kind.COLUMNAR),
)
_ARROW_SUFFIXES: Final = frozenset({".arrow", ".arrows", ".feather", ".ipc"})
_PACKED_SUFFIXES: Final = (".tar.gz", ".tgz", ".gz")
# Said beside the first bytes of what is never opened here: reading a pickle runs what is in it.
_BINARY_NAMES: Final = (
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"FEA1", "a Feather file of version 1, which is too old to be read here"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
)


def kind_of(artifact: Artifact, head: bytes = b"", content_type: str = "") -> Kind:
    """Returns how to show an artifact, by its first bytes where they are sure, then its type, its suffix, its text."""
    by_magic = _by_magic(artifact, head)
    if by_magic is not None:
        return by_magic
    if artifact.type in _BY_TYPE:
        return _BY_TYPE[artifact.type]
    suffix = suffix_of(artifact)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if image_type(artifact, head) or content_type.startswith("image/"):
        return Kind.IMAGE
    text = texts.decode(head, is_text=suffix in _TEXT_SUFFIXES)
    return Kind.BINARY if text is None else _kind_of_text(artifact, text.value)


def _by_magic(artifact: Artifact, head: bytes) -> Kind | None:
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if found is None and head.startswith(_STREAM_MAGIC) and suffix_of(artifact) in _ARROW_SUFFIXES:
        return Kind.COLUMNAR
    return found


def is_named_text(artifact: Artifact) -> bool:
    """Whether a name or a type says that this is text, in whatever encoding."""
    suffix = suffix_of(artifact)
    return suffix in _TEXT_SUFFIXES or suffix in _BY_SUFFIX or artifact.type in _BY_TYPE


def suffix_of(artifact: Artifact) -> str:
    """Returns the file's suffix in lower case; KFP's own names have none, then `metadata.format` may tell."""
    name, dot, suffix = artifact.file_name.rpartition(".")
    if name and dot:
        return f".{suffix.lower()}"
    told = artifact.metadata.get("format") or artifact.metadata.get("file_format")
    return f".{str(told).lower().lstrip('.')}" if told else ""


def unpacked_name(name: str) -> str:
    """Returns a file's name without what says that it is packed."""
    packed = next((suffix for suffix in _PACKED_SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: -len(packed)] if packed else name


def image_type(artifact: Artifact, head: bytes = b"") -> str:
    """Returns an image's media type; "" for anything else."""
    by_magic = next((name for magic, name in _IMAGE_MAGIC if head.startswith(magic)), "")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        by_magic = "image/webp"
    return by_magic or IMAGE_TYPES.get(suffix_of(artifact), "")


def binary_name(head: bytes) -> str:
    """Returns what a binary file is, in words; "" where its first bytes do not tell."""
    return next((name for magic, name in _BINARY_NAMES if head.startswith(magic)), "")


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


def _kind_of_text(artifact: Artifact, text: str) -> Kind:
    start = text.lstrip()[:256]
    if start[:1] in {"{", "["}:
        return _kind_of_json(text)
    if start[:15].lower().startswith(("<!doctype html", "<html")):
        return Kind.HTML
    lines = text.split("\n", 3)[:3]
    if artifact.type == "system.Dataset" and len(lines) > 1 and lines[0].count(",") == lines[1].count(",") > 0:
        return Kind.TABLE
    return Kind.TEXT


def _kind_of_json(text: str) -> Kind:
    if '"nbformat"' in text and '"cells"' in text:
        return Kind.NOTEBOOK
    first, _, second = text.lstrip().partition("\n")
    try:
        is_record = isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        is_record = False
    return Kind.JSON_LINES if is_record and second.lstrip().startswith("{") else Kind.JSON
