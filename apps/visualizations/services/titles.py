"""What people edit on a visualization: title, tags, notes and pin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from apps.accounts.caller import Caller
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.lines import line_clean
from apps.visualizations.models import Visualization
from apps.visualizations.services.indexing import text_of
from apps.visualizations.services.requests import MAX_TITLE_CHARS
from apps.visualizations.services.rights import change_check, record

MOST_TAGS: Final = 20
LONGEST_TAG: Final = 40
LONGEST_NOTES: Final = 20_000


def title_change(caller: Caller, visualization: Visualization, title: str) -> None:
    """Changes a visualization's title.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
        InvalidRequestError: the title is empty or too long.
    """
    _write(caller, visualization, "title", line_clean(title, least=1, most=MAX_TITLE_CHARS))


def notes_change(caller: Caller, visualization: Visualization, notes: str) -> None:
    """Replaces the notes, which are Markdown; "" removes them.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
        InvalidRequestError: the notes are too long.
    """
    notes = notes.replace("\0", "").strip()
    if len(notes) > LONGEST_NOTES:
        raise InvalidRequestError.at("notes", f"Notes have at most {LONGEST_NOTES:,} characters.")
    _write(caller, visualization, "notes", notes)


def tags_change(
    caller: Caller, visualization: Visualization, *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> None:
    """Adds and removes tags. A tag is one lower-case word.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
        InvalidRequestError: a tag is too long, or there would be too many.
    """
    names = {tag_clean(each) for each in add} | set(visualization.tag_names)
    names -= {each.strip().lower() for each in remove}
    if len(names) > MOST_TAGS:
        raise InvalidRequestError.at("tags", f"A visualization has at most {MOST_TAGS} tags.")
    _write(caller, visualization, "tags", "".join(f"\n{each}" for each in sorted(names)) + "\n" * bool(names))


def tag_clean(name: str) -> str:
    """Returns a tag in its stored form: lower case, with hyphens for white space.

    Raises:
        InvalidRequestError: it is empty or too long.
    """
    tag = "-".join(name.replace("\0", "").lower().split())
    if not 0 < len(tag) <= LONGEST_TAG:
        raise InvalidRequestError.at("tags", f"A tag has 1 to {LONGEST_TAG} characters.")
    return tag


def pin_set(caller: Caller, visualization: Visualization, *, is_pinned: bool) -> None:
    """Pins a visualization, so that it is listed first and its renders are kept, or unpins it.

    Raises:
        NotAllowedError: the caller is neither the owner nor an administrator.
    """
    _write(caller, visualization, "is_pinned", is_pinned)


def _write(caller: Caller, visualization: Visualization, field: str, value: Any) -> None:
    change_check(caller, visualization)
    setattr(visualization, field, value)
    visualization.text = text_of(visualization)
    with transaction.atomic():
        visualization.save(update_fields=[field, "text"])
        record(caller, f"visualization.{field}", visualization)
