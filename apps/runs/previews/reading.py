"""From an artifact's bytes to its preview: as much is read as its kind needs, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import archives, columnar, kinds, notebooks, tables, texts, trees
from apps.runs.previews.archives import BrokenArchiveError
from apps.runs.previews.shapes import LARGEST_WHOLE_BYTES, PEEK_BYTES, Kind, Member, Preview
from apps.runs.previews.source import Source

_DUMPED_BYTES: Final = 256
_DUMP_WIDTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file that a browser may draw: an image, a page or a PDF, unpacked."""

    kind: Kind
    body: bytes
    media_type: str


def preview(artifact: Artifact, stream: ArtifactStream) -> Preview:
    """Reads as much of an artifact as its kind needs, and no more.

    Raises:
        EndpointDownError: the bytes broke off.
    """
    source = Source(stream.chunks)
    if stream.is_directory:
        return replace(_packed(artifact, source, stream.size_bytes, is_directory=True), size_bytes=stream.size_bytes)
    return _preview(artifact, source, size=stream.size_bytes, content_type=stream.content_type, is_packed=False)


def _preview(artifact: Artifact, source: Source, *, size: int | None, content_type: str, is_packed: bool) -> Preview:
    head = source.peek(PEEK_BYTES)
    if not head:
        return Preview(kind=Kind.EMPTY, size_bytes=0)
    kind = kinds.kind_of(artifact, head, content_type)
    if kind is Kind.ARCHIVE:
        # One level is enough: an archive in an archive is a file like any other.
        return _dumped(head, size) if is_packed else _packed(artifact, source, size)
    largest = kind.largest_bytes
    if largest is not None and size is not None and size > largest:
        return Preview(kind=Kind.TOO_LARGE, size_bytes=size)
    if kind is Kind.COLUMNAR:
        return columnar.preview(source, size)
    if kind is Kind.NOTEBOOK:
        return _notebook(source, size)
    is_cut = len(head) >= PEEK_BYTES if size is None else size > len(head)
    return _parsed(kind, artifact, head, size_bytes=size if is_cut else len(head), is_cut=is_cut)


def _parsed(kind: Kind, artifact: Artifact, head: bytes, *, size_bytes: int | None, is_cut: bool) -> Preview:
    if kind.is_framed:
        return Preview(kind=kind, size_bytes=size_bytes, is_cut=is_cut)
    text = texts.decode(head, is_text=kinds.is_named_text(artifact))
    if kind is Kind.BINARY or text is None:
        return _dumped(head, size_bytes)
    note = f"Read as {text.encoding}." if text.encoding else ""
    base = Preview(kind=Kind.TEXT, size_bytes=size_bytes, is_cut=is_cut, text=text.value, note=note)
    return _of_text(kind, artifact, base)


def _of_text(kind: Kind, artifact: Artifact, base: Preview) -> Preview:
    """Returns the preview of a kind of text; what cannot be read as that kind stays text."""
    text = base.text
    if kind is Kind.MARKDOWN:
        return replace(base, kind=kind, markup=texts.markdown(text))
    if kind is Kind.JSON:
        markup = None if base.is_cut else trees.tree(text)
        return replace(base, kind=kind, markup=markup or "", note=base.note or ("" if markup else _untidy(base)))
    table = None
    if kind is Kind.TABLE:
        delimiter = "\t" if kinds.suffix_of(artifact) == ".tsv" else ""
        table = tables.delimited(text, delimiter=delimiter, is_cut=base.is_cut)
    elif kind is Kind.JSON_LINES:
        table = tables.json_lines(text, is_cut=base.is_cut)
    if table is None:
        return base
    return replace(
        base,
        kind=kind,
        text="",
        header=table.header,
        rows=table.rows,
        is_cut=table.is_cut,
        row_count=None if table.is_cut else len(table.rows),
    )


def _untidy(base: Preview) -> str:
    return "" if base.is_cut else "This is not valid JSON, so it is shown as it is."


def _notebook(source: Source, size: int | None) -> Preview:
    body = b"".join(source.chunks(LARGEST_WHOLE_BYTES + 1))
    if len(body) > LARGEST_WHOLE_BYTES:
        return Preview(kind=Kind.TOO_LARGE, size_bytes=size)
    found = notebooks.cells(body)
    if found is not None:
        return Preview(kind=Kind.NOTEBOOK, size_bytes=len(body), cells=found)
    text = texts.decode(body[:PEEK_BYTES], is_text=True)
    if text is None:
        return _dumped(body, len(body))
    is_cut = len(body) > PEEK_BYTES
    note = "This is not a notebook that can be read, so it is shown as it is."
    return Preview(kind=Kind.TEXT, size_bytes=len(body), is_cut=is_cut, text=text.value, note=note)


def _dumped(head: bytes, size_bytes: int | None) -> Preview:
    name = kinds.binary_name(head)
    dump = tuple(
        (f"{start:04x}", _hexadecimal(line), "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line))
        for start, line in _lines(head[:_DUMPED_BYTES])
    )
    note = f"By its first bytes this is {name}." if name else ""
    return Preview(kind=Kind.BINARY, size_bytes=size_bytes, is_cut=len(head) > _DUMPED_BYTES, dump=dump, note=note)


def _lines(head: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(head), _DUMP_WIDTH):
        yield start, head[start : start + _DUMP_WIDTH]


def _hexadecimal(line: bytes) -> str:
    return f"{line[:8].hex(' ')}  {line[8:].hex(' ')}".strip()


def _packed(artifact: Artifact, packed: Source, size: int | None, *, is_directory: bool = False) -> Preview:
    try:
        inner = archives.unpacked(packed)
        start = inner.peek(PEEK_BYTES)
        if not archives.is_tar(start) and (start or not is_directory):
            return _inner(artifact, inner, kinds.unpacked_name(artifact.file_name), size=None)
        found = archives.folder(inner)
    except BrokenArchiveError as error:
        kind = Kind.DIRECTORY if is_directory else Kind.ARCHIVE
        return Preview(kind=kind, size_bytes=size, is_cut=True, note=str(error))
    (member, *others) = found.members or [Member(name="", size_bytes=0)]
    if member.name and not others and not is_directory:
        return _inner(artifact, Source(iter([found.first])), member.name, size=member.size_bytes)
    return Preview(
        kind=Kind.DIRECTORY if is_directory else Kind.ARCHIVE,
        size_bytes=size,
        is_cut=found.is_cut,
        members=tuple(found.members),
        note=f"{found.left_out} links or names that lead outside are left out." if found.left_out else "",
    )


def _inner(artifact: Artifact, source: Source, name: str, *, size: int | None) -> Preview:
    try:
        found = _preview(named(artifact, name), source, size=size, content_type="", is_packed=True)
    except BrokenArchiveError as error:
        return Preview(kind=Kind.ARCHIVE, is_cut=True, note=str(error), member_name=name)
    return replace(found, member_name=name)


def named(artifact: Artifact, name: str) -> Artifact:
    """Returns an artifact as if its file had this name."""
    return replace(artifact, uri=f"member:///{name}")


def content(artifact: Artifact, stream: ArtifactStream) -> Content | None:
    """Returns an image, a page or a PDF for the browser to draw, out of its .gz or .tgz too; None for anything else.

    Raises:
        EndpointDownError: the bytes broke off.
    """
    if (stream.size_bytes or 0) > LARGEST_WHOLE_BYTES:
        return None
    source = Source(stream.chunks)
    if source.peek(2) != kinds.GZIP_MAGIC:
        return _content(artifact, source, stream.content_type)
    try:
        inner = archives.unpacked(source)
        if not archives.is_tar(inner.peek(PEEK_BYTES)):
            return _content(named(artifact, kinds.unpacked_name(artifact.file_name)), inner, "")
        found = archives.folder(inner)
    except BrokenArchiveError:
        return None
    if len(found.members) != 1:
        return None
    return _content(named(artifact, found.members[0].name), Source(iter([found.first])), "")


def _content(artifact: Artifact, source: Source, content_type: str) -> Content | None:
    body = b"".join(source.chunks(LARGEST_WHOLE_BYTES + 1))
    kind = kinds.kind_of(artifact, body[:PEEK_BYTES], content_type)
    if not body or len(body) > LARGEST_WHOLE_BYTES or not kind.is_framed:
        return None
    types = {Kind.HTML: "text/html; charset=utf-8", Kind.PDF: "application/pdf"}
    return Content(kind=kind, body=body, media_type=types.get(kind) or kinds.image_type(artifact, body) or content_type)
