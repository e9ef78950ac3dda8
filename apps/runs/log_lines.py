"""A log as numbered lines for a page: escape sequences removed, long lines cut, matches marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from apps.runs.entities import StepLog
from apps.runs.previews import terminal

MOST_LINES: Final = 5000
_LONGEST_LINE: Final = 10_000
_LONGEST_QUERY: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line.

    Attributes:
        parts: (text, whether it matches the search), in order.
        left_out: how many characters at its end are not shown.
    """

    number: int
    parts: tuple[tuple[str, bool], ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The lines of a log that a page shows.

    Attributes:
        query: the search text; if set, only lines that contain it are shown.
        last_number: the number of the last complete line, for the next request.
        pending: the beginning of a line that is still being written.
        hidden: how many earlier matching lines are not shown.
    """

    lines: tuple[LogLine, ...]
    query: str
    last_number: int
    pending: str = ""
    hidden: int = 0


def log_page(log: StepLog, *, query: str = "", after: int = 0, is_live: bool = False) -> LogPage:
    """Returns the last lines of a log.

    Args:
        log: of a step.
        query: text that the lines must contain, ignoring case; "" for every line.
        after: a line number; only later lines are returned.
        is_live: whether the last line may still grow.
    """
    query = query[:_LONGEST_QUERY].strip()
    texts = terminal.plain(log.text).split("\n")
    last = texts.pop()
    if last and not is_live:
        texts.append(last)
    numbered = enumerate(texts, log.first_line)
    pattern = re.compile(re.escape(query), re.IGNORECASE) if query else None
    wanted = [(number, text) for number, text in numbered if number > after and (not pattern or pattern.search(text))]
    return LogPage(
        lines=tuple(_line(number, text, pattern) for number, text in wanted[-MOST_LINES:]),
        query=query,
        last_number=log.first_line + len(texts) - 1,
        pending=last[:_LONGEST_LINE] if is_live and not query else "",
        hidden=max(0, len(wanted) - MOST_LINES),
    )


def _line(number: int, text: str, pattern: re.Pattern[str] | None) -> LogLine:
    shown = text[:_LONGEST_LINE]
    parts = tuple(_parts(shown, pattern)) if pattern else ((shown, False),)
    return LogLine(number=number, parts=parts, left_out=len(text) - len(shown))


def _parts(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    end = 0
    for found in pattern.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], False
        yield found.group(), True
        end = found.end()
    if end < len(text) or not text:
        yield text[end:], False
