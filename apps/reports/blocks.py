"""Drafts of a report's blocks, and the limits of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.reports.models import BlockKind, ReportBlock
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.lines import line_clean

MOST_BLOCKS: Final = 100
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 50_000
LONGEST_CAPTION: Final = 500

_MODEL_CARD: Final = (
    "## Model details\n\nWho made it, when, which version, which algorithm.",
    "## Intended use\n\nWhat it is for, who uses it, and what it is not for.",
    "## Data\n\nWhat it was trained and evaluated on.",
    "## Evaluation\n\nHow well it does, on which data and for whom.",
    "## Limitations\n\nWhere it fails, and what to do then.",
    "## Ethical considerations\n\nWhom it may harm, and what was done about that.",
)
# The chosen results follow this many of the sections.
_RESULTS_AFTER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A block of a report that is not saved yet.

    Attributes:
        target_id: id of the render, visualization or series to show; None for texts.
    """

    kind: BlockKind
    text: str = ""
    caption: str = ""
    target_id: UUID | None = None


def drafts_clean(drafts: Iterable[Draft]) -> list[Draft]:
    """Returns drafts in their stored form, without empty texts and NUL.

    Raises:
        InvalidRequestError: there are too many drafts, one is too long, or a result has no id.
    """
    clean = [_clean(number, each) for number, each in enumerate(drafts)]
    kept = [each for each in clean if each.kind is not BlockKind.TEXT or each.text]
    if len(kept) > MOST_BLOCKS:
        raise InvalidRequestError.at("blocks", f"A report has at most {MOST_BLOCKS} texts and results.")
    return kept


def drafts_of(blocks: Iterable[ReportBlock]) -> list[Draft]:
    """Returns saved blocks as drafts, for example for the form."""
    return [
        Draft(kind=BlockKind(each.kind), text=each.text, caption=each.caption, target_id=each.target_id)
        for each in blocks
    ]


def drafts_blank(results: Sequence[Draft] = ()) -> list[Draft]:
    """Returns the blocks of a new report: an empty text, then the results."""
    return [Draft(kind=BlockKind.TEXT), *results]


def drafts_model_card(results: Sequence[Draft] = ()) -> list[Draft]:
    """Returns the sections of a model card, with the results after its evaluation."""
    texts = [Draft(kind=BlockKind.TEXT, text=text) for text in _MODEL_CARD]
    return [*texts[:_RESULTS_AFTER], *results, *texts[_RESULTS_AFTER:]]


def _clean(number: int, draft: Draft) -> Draft:
    text = draft.text.replace("\0", "").replace("\r\n", "\n").strip()
    field = f"blocks.{number}.caption"
    caption = line_clean(draft.caption, most=LONGEST_CAPTION, field=field, what="caption")
    if len(text) > LONGEST_TEXT:
        raise InvalidRequestError.at(f"blocks.{number}.text", f"A text has at most {LONGEST_TEXT:,} characters.")
    if draft.kind is BlockKind.TEXT:
        return Draft(kind=draft.kind, text=text)
    if draft.target_id is None:
        raise InvalidRequestError.at(
            f"blocks.{number}.id", "A result is named by the id of a render, visualization or series."
        )
    return Draft(kind=draft.kind, caption=caption, target_id=draft.target_id)
