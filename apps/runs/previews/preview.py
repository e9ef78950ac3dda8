"""What a preview is: plain values, ready for a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PEEK_BYTES: Final = 64 * 1024
"""Of a table or a text no more than this is read, however large the whole is."""
LARGEST_WHOLE_BYTES: Final = 8 * 1024**2
"""Images, HTML, PDF and notebooks make sense only as a whole; above this they are offered for download."""
MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 60
_LONGEST_CELL: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first part of an artifact, parsed; each preview kind adds the fields that its template shows.

    Attributes:
        preview_kind: the key of its kind, by which its template is found.
        size_bytes: of the whole; None where the gateway did not say.
        is_cut: whether there is more than what is shown.
        member_name: the one file of an archive, or the file in a .gz, whose preview this is.
        note: a sentence for the reader.
    """

    preview_kind: str
    size_bytes: int | None = None
    is_cut: bool = False
    member_name: str = ""
    note: str = ""

    @property
    def template(self) -> str:
        """The template that shows it."""
        return f"runs/previews/{self.preview_kind}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLargePreview(Preview):
    """A file that makes sense only as a whole and is larger than the limit of its kind."""

    preview_kind: str = "too_large"


def shortened(text: str) -> str:
    """Returns a table's cell, at most so long that a row stays readable."""
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "..."
