"""Previews as plain values, ready for a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PEEK_BYTES: Final = 64 * 1024
"""Tables and texts are read only up to this size, however large the file is."""
LARGEST_WHOLE_BYTES: Final = 8 * 1024**2
"""Images, HTML, PDF and notebooks are useful only as a whole; larger ones are offered for download."""
MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 60
_LONGEST_CELL: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first part of an artifact, parsed; each preview kind adds the fields that its template shows.

    Attributes:
        preview_kind: the key of its kind, which determines the template.
        size_bytes: of the whole file; None if the gateway did not say.
        is_cut: whether there is more than is shown.
        member_name: the file in an archive or a .gz that the preview shows.
        note: a sentence for the reader.
    """

    preview_kind: str
    size_bytes: int | None = None
    is_cut: bool = False
    member_name: str = ""
    note: str = ""

    @property
    def template(self) -> str:
        """The template that shows the preview."""
        return f"runs/previews/{self.preview_kind}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLargePreview(Preview):
    """A file that is useful only as a whole and exceeds the limit of its kind."""

    preview_kind: str = "too_large"


def shortened(text: str) -> str:
    """Returns the text of a table's cell, cut so that a row stays readable."""
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "..."
