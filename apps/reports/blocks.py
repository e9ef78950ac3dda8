"""What stands in a report before it is saved, and what a report may hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.reports.models import BlockKind, ReportBlock
from apps.visualizations.exceptions import InvalidRequestError

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
# After which of these the chosen results come.
_RESULTS_AFTER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One part of a report, not saved yet.

    Attributes:
        target_id: of the render, visualization or series that is shown; None for texts.
    """

    kind: BlockKind
    text: str = ""
    caption: str = ""
    target_id: UUID | None = None


def drafts_clean(drafts: Iterable[Draft]) -> list[Draft]:
    """Returns drafts as they are kept: without texts that are empty, and without NUL.

    Raises:
        InvalidRequestError: there are too many, one is too long, or a result is not named.
    """
    clean = [_clean(number, each) for number, each in enumerate(drafts)]
    kept = [each for each in clean if each.kind is not BlockKind.TEXT or each.text]
    if len(kept) > MOST_BLOCKS:
        raise _wrong("blocks", f"A report has at most {MOST_BLOCKS} texts and results.")
    return kept


def title_clean(title: str) -> str:
    """Returns a title as it is kept.

    Raises:
        InvalidRequestError: it is empty or too long.
    """
    clean = " ".join(title.replace("\0", "").split())
    if not 0 < len(clean) <= LONGEST_TITLE:
        raise _wrong("title", f"A title has 1 to {LONGEST_TITLE} characters.")
    return clean


def drafts_of(blocks: Iterable[ReportBlock]) -> list[Draft]:
    """Returns saved blocks as drafts, such as for the form that changes them."""
    return [
        Draft(kind=BlockKind(each.kind), text=each.text, caption=each.caption, target_id=each.target_id)
        for each in blocks
    ]


def drafts_blank(results: Sequence[Draft] = ()) -> list[Draft]:
    """Returns what a new report begins with: an empty text, then the results."""
    return [Draft(kind=BlockKind.TEXT), *results]


def drafts_model_card(results: Sequence[Draft] = ()) -> list[Draft]:
    """Returns the sections of a model card, with the results among the evaluation."""
    texts = [Draft(kind=BlockKind.TEXT, text=text) for text in _MODEL_CARD]
    return [*texts[:_RESULTS_AFTER], *results, *texts[_RESULTS_AFTER:]]


def _clean(number: int, draft: Draft) -> Draft:
    text = draft.text.replace("\0", "").replace("\r\n", "\n").strip()
    caption = " ".join(draft.caption.replace("\0", "").split())
    if len(text) > LONGEST_TEXT:
        raise _wrong(f"blocks.{number}.text", f"A text has at most {LONGEST_TEXT:,} characters.")
    if len(caption) > LONGEST_CAPTION:
        raise _wrong(f"blocks.{number}.caption", f"A caption has at most {LONGEST_CAPTION} characters.")
    if draft.kind is BlockKind.TEXT:
        return Draft(kind=draft.kind, text=text)
    if draft.target_id is None:
        raise _wrong(f"blocks.{number}.id", "A result is named by the id of a render, visualization or series.")
    return Draft(kind=draft.kind, caption=caption, target_id=draft.target_id)


def _wrong(field: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(message, fields={field: message})
