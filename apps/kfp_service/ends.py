"""Reads the result of a render from its row, and its page from the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from apps.accounts.caller import Caller
from apps.visualizations.models import Render
from apps.visualizations.services.assets import inline_assets
from apps.visualizations.services.results import result_open
from apps.visualizations.services.rights import waiter_check
from apps.visualizations.services.stored import WHOLE_BYTES, DamagedError
from apps.visualizations.states import ACTIVE_STATES, Fault, Reason, RenderState


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a render.

    Attributes:
        message: why it did not succeed, for users; "" if it did.
        page: the page, or its beginning.
        rest: the remaining chunks; None if `page` is complete.
    """

    render_id: UUID
    state: str
    is_our_fault: bool = False
    message: str = ""
    page: bytes = b""
    rest: Iterator[bytes] | None = None

    @property
    def is_good(self) -> bool:
        """Whether there is a page."""
        return self.state == RenderState.SUCCEEDED


def end_read(caller: Caller, render_id: UUID) -> End | None:
    """Returns how a render ended, for the caller that waits for it; None while it is active.

    The row is authoritative, whatever an event said.

    Raises:
        NotAllowedError: somebody else requested the render.
        DatabaseError: the database does not answer.
    """
    wanted = (
        "id",
        "state",
        "reason",
        "message",
        "traceback",
        "line",
        "html",
        "html_bytes",
        "html_sha256",
        "requested_by",
    )
    render = Render.objects.only(*wanted).filter(id=render_id).first()
    if render is None:
        return End(render_id=render_id, state=RenderState.CANCELLED, message="The visualization was deleted.")
    waiter_check(caller, render)
    if render.state in ACTIVE_STATES:
        return None
    if render.state != RenderState.SUCCEEDED:
        reason = Reason.by_value(render.reason)
        is_our_fault = render.state == RenderState.LOST or (reason is not None and reason.fault is not Fault.REQUEST)
        return End(render_id=render_id, state=render.state, is_our_fault=is_our_fault, message=_words(render))
    return _with_page(render)


def _words(render: Render) -> str:
    line = f" (line {render.line})" if render.line and f"line {render.line}" not in render.message else ""
    lines = [f"{render.message or render.get_state_display()}{line}", render.traceback]
    return "\n\n".join(line for line in lines if line)


def _with_page(render: Render) -> End:
    try:
        chunks = _page_chunks(render)
        page = bytearray()
        for chunk in chunks:
            page += chunk
            if len(page) > WHOLE_BYTES:
                return End(render_id=render.id, state=render.state, page=bytes(page), rest=chunks)
    except FileNotFoundError:
        return _unreadable(render, "The file is gone from the store.")
    except DamagedError:
        return _unreadable(render, "The stored result is damaged: it is not what was saved. Render it again.")
    return End(render_id=render.id, state=render.state, page=bytes(page))


def _unreadable(render: Render, message: str) -> End:
    return End(render_id=render.id, state=RenderState.LOST, is_our_fault=True, message=message)


def _page_chunks(render: Render) -> Iterator[bytes]:
    """Returns the page with its scripts inlined: clients of this protocol cannot reach the portal's own addresses."""
    content = result_open(render, "html")
    if content.size_bytes > WHOLE_BYTES:
        return inline_assets(content)
    page = b"".join(content)
    # Scanning for references costs 7 ms per megabyte, and most pages have none.
    return inline_assets([page]) if b"/assets/" in page else iter([page])
