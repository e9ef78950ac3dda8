"""What a preview is: plain values, ready for a template."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

PEEK_BYTES: Final = 64 * 1024
"""Of a table or a text no more than this is read, however large the whole is."""
LARGEST_WHOLE_BYTES: Final = 8 * 1024**2
"""Images, HTML, PDF and notebooks make sense only as a whole; above this they are offered for download."""
LARGEST_COLUMNAR_BYTES: Final = 64 * 1024**2
"""Parquet and Arrow files have their index at the end."""
MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 60
_LONGEST_CELL: Final = 300


class Kind(enum.StrEnum):
    """How an artifact is shown."""

    TABLE = "table"
    COLUMNAR = "columnar"
    JSON = "json"
    JSON_LINES = "json_lines"
    TEXT = "text"
    MARKDOWN = "markdown"
    NOTEBOOK = "notebook"
    IMAGE = "image"
    HTML = "html"
    PDF = "pdf"
    ARCHIVE = "archive"
    DIRECTORY = "directory"
    BINARY = "binary"
    TOO_LARGE = "too_large"
    EMPTY = "empty"

    @property
    def is_framed(self) -> bool:
        """Whether the browser draws the bytes itself, from an address of their own."""
        return self in {Kind.IMAGE, Kind.HTML, Kind.PDF}

    @property
    def largest_bytes(self) -> int | None:
        """Up to which size the whole is shown; None where the beginning is enough."""
        if self is Kind.COLUMNAR:
            return LARGEST_COLUMNAR_BYTES
        return LARGEST_WHOLE_BYTES if self.is_framed or self is Kind.NOTEBOOK else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive; its size as the archive says it."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCell:
    """A notebook's cell.

    Attributes:
        kind: code, markdown or raw.
        markup: sanitised HTML, of a Markdown cell only.
        output: what is text among the cell's outputs; pictures are named in brackets.
    """

    kind: str
    source: str
    markup: str = ""
    output: str = ""
    count: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first part of an artifact, parsed for its kind.

    Attributes:
        size_bytes: of the whole; None where the gateway did not say.
        is_cut: whether there is more than what is shown.
        text: as it stands in the file, for text, and for JSON that is cut or broken.
        markup: HTML that is safe to put into a page: of Markdown, and of a JSON tree.
        types: of the columns; empty where the file does not tell.
        row_count: of the whole table; None where only its beginning was read.
        members: the files in an archive.
        member_name: the one file of an archive, or the file in a .gz, whose preview this is.
        dump: lines of (offset, hexadecimal, characters), of a binary file.
        note: a sentence for people.
    """

    kind: Kind
    size_bytes: int | None = None
    is_cut: bool = False
    text: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    types: tuple[str, ...] = ()
    row_count: int | None = None
    markup: str = ""
    cells: tuple[NotebookCell, ...] = ()
    members: tuple[Member, ...] = ()
    member_name: str = ""
    dump: tuple[tuple[str, str, str], ...] = ()
    note: str = ""


def shortened(text: str) -> str:
    """Returns a table's cell, at most so long that a row stays readable."""
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "..."
