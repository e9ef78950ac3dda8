"""The form of a report: its fields as drafts, and the actions of its buttons.

It works without scripts: each button submits the whole form, and the response shows the changed blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict

from apps.reports.blocks import MOST_BLOCKS, Draft
from apps.reports.models import BlockKind

_MOST_PICKED: Final = 50


@dataclass(slots=True, kw_only=True)
class Form:
    """The submitted form, unvalidated.

    Attributes:
        base: number of the version that it is based on; 0 for a new report.
        action: the pressed button: save, find or pick; or up, down, remove or text, with a block's number.
        at: number of the block that the button belongs to; -1 for none.
        picked: ids of visualizations to add, to be shown as `pick_kind` says.
        focus: number of the block whose field gets the focus in the response; -1 for none.
    """

    title: str = ""
    base: int = 0
    drafts: list[Draft] = field(default_factory=list)
    action: str = ""
    at: int = -1
    q: str = ""
    picked: tuple[str, ...] = ()
    pick_kind: BlockKind = BlockKind.RENDER
    focus: int = -1


def form_read(data: QueryDict) -> Form:
    """Parses a submitted form; missing or invalid parts are left out."""
    action, _, at = data.get("action", "").partition("-")
    kinds = data.getlist("kind")[: MOST_BLOCKS * 2]
    columns = [data.getlist(name) for name in ("text", "caption", "target")]
    drafts = []
    for number, kind in enumerate(kinds):
        text, caption, target = (column[number] if number < len(column) else "" for column in columns)
        if kind in BlockKind.values:
            drafts.append(Draft(kind=BlockKind(kind), text=text, caption=caption, target_id=_id(target)))
    kind = data.get("as", "")
    return Form(
        title=data.get("title", ""),
        base=_number(data.get("base", "")),
        drafts=drafts,
        action=action,
        at=_number(at, -1),
        q=data.get("q", "")[:200],
        picked=tuple(data.getlist("pick")[:_MOST_PICKED]),
        pick_kind=BlockKind(kind) if kind in BlockKind.values else BlockKind.RENDER,
    )


def form_act(form: Form, found: Sequence[Draft] = ()) -> None:
    """Applies the pressed button to the blocks.

    Args:
        form: modified in place.
        found: blocks to add, for `pick`.
    """
    at, drafts = form.at, form.drafts
    if form.action == "pick" and found:
        form.focus = len(drafts)
        drafts.extend(found)
    elif form.action == "text" and -1 <= at < len(drafts):
        drafts.insert(at + 1, Draft(kind=BlockKind.TEXT))
        form.focus = at + 1
    elif 0 <= at < len(drafts):
        _move(form, {"up": -1, "down": 1}.get(form.action, 0))


def _move(form: Form, step: int) -> None:
    at, drafts = form.at, form.drafts
    if form.action == "remove":
        drafts.pop(at)
        form.focus = min(at, len(drafts) - 1)
    elif step:
        place = min(max(at + step, 0), len(drafts) - 1)
        drafts.insert(place, drafts.pop(at))
        form.focus = place


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: Any, otherwise: int = 0) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else otherwise
