"""Compares two versions of a report, in words and by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

from apps.accounts.caller import Caller
from apps.reports import selectors
from apps.reports.models import BlockKind, Report, ReportBlock, ReportVersion
from apps.ui.differences import DiffLine, diff_lines

_WAYS: Final = {
    BlockKind.RENDER: "this one render",
    BlockKind.VISUALIZATION: "always the latest",
    BlockKind.SERIES: "newest run of its series",
}
# Comparing takes more than linear time: beyond this total number of lines, texts are only reported to differ.
_MOST_LINES: Final = 5_000


class ChangeKind(StrEnum):
    """What happened to a block of a report."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference in one block of a report.

    Attributes:
        position: in the newer version, from 1; for a removed block, in the older one.
        words: a sentence for users.
        lines: the differing lines of a text with some context; empty for results, and for texts that are too long.
    """

    kind: ChangeKind
    position: int
    words: str
    lines: Sequence[DiffLine] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDifference:
    """Two versions of a report, and their differences."""

    before: ReportVersion
    after: ReportVersion
    changes: Sequence[Change]

    @property
    def is_retitled(self) -> bool:
        """Whether the title differs."""
        return self.before.title != self.after.title


@dataclass(slots=True)
class _Comparison:
    names: dict[Any, str]
    lines_left: int = _MOST_LINES
    removed: list[tuple[int, ReportBlock]] = field(default_factory=list)
    added: list[tuple[int, ReportBlock]] = field(default_factory=list)

    def compare(self, old: Sequence[ReportBlock], new: Sequence[ReportBlock]) -> Iterator[Change]:
        matcher = SequenceMatcher(None, [_key(each) for each in old], [_key(each) for each in new], autojunk=False)
        for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
            before = list(enumerate(old[old_from:old_to], old_from + 1))
            after = list(enumerate(new[new_from:new_to], new_from + 1))
            if tag == "equal":
                for (_, one), (position, other) in zip(before, after, strict=True):
                    yield from self.captions(position, one, other)
            else:
                yield from self.replaced(before, after)
        yield from self.moved()
        yield from self.rewritten()
        for position, block in self.removed:
            yield self.whole(ChangeKind.REMOVED, position, block)
        for position, block in self.added:
            yield self.whole(ChangeKind.ADDED, position, block)

    def replaced(self, before: list[tuple[int, ReportBlock]], after: list[tuple[int, ReportBlock]]) -> Iterator[Change]:
        """Reports texts at the same place as one text that changed."""
        texts = [each for each in before if each[1].kind == BlockKind.TEXT]
        for position, block in after:
            if block.kind == BlockKind.TEXT and texts:
                _, one = texts.pop(0)
                before = [each for each in before if each[1] is not one]
                words = f"Text {position} changed."
                yield self.text(ChangeKind.CHANGED, position, words, one.text, block.text)
            else:
                self.added.append((position, block))
        self.removed += before

    def moved(self) -> Iterator[Change]:
        for position, block in list(self.added):
            same = next((each for each in self.removed if _key(each[1]) == _key(block)), None)
            if same is None:
                continue
            self.removed.remove(same)
            self.added.remove((position, block))
            what = "Text" if block.kind == BlockKind.TEXT else self.name(block)
            words = f"{what} moved from place {same[0]} to {position}."
            yield Change(kind=ChangeKind.MOVED, position=position, words=words)
            yield from self.captions(position, same[1], block)

    def rewritten(self) -> Iterator[Change]:
        """Reports texts at different places that share a line as one text that moved and changed."""
        for position, block in [each for each in self.added if each[1].kind == BlockKind.TEXT]:
            same = next((each for each in self.removed if _shares_a_line(each[1], block)), None)
            if same is None:
                continue
            self.removed.remove(same)
            self.added.remove((position, block))
            words = f"Text {position} changed, and was text {same[0]}."
            yield self.text(ChangeKind.CHANGED, position, words, same[1].text, block.text)

    def captions(self, position: int, one: ReportBlock, other: ReportBlock) -> Iterator[Change]:
        if one.caption == other.caption:
            return
        words = f"The caption of {self.name(other)} changed."
        yield self.text(ChangeKind.CHANGED, position, words, one.caption, other.caption)

    def whole(self, kind: ChangeKind, position: int, block: ReportBlock) -> Change:
        if block.kind == BlockKind.TEXT:
            pair = ("", block.text) if kind is ChangeKind.ADDED else (block.text, "")
            return self.text(kind, position, f"Text {position} was {kind.value}.", *pair)
        words = f"{self.name(block)} was {kind.value} ({_WAYS[BlockKind(block.kind)]})."
        return Change(kind=kind, position=position, words=words)

    def text(self, kind: ChangeKind, position: int, words: str, before: str, after: str) -> Change:
        self.lines_left -= before.count("\n") + after.count("\n") + 2
        if self.lines_left < 0:
            return Change(kind=kind, position=position, words=f"{words} It is too long to show which lines.")
        return Change(kind=kind, position=position, words=words, lines=diff_lines(before, after))

    def name(self, block: ReportBlock) -> str:
        return self.names[_key(block)]


def versions_compare(caller: Caller, report: Report, before: int, after: int) -> VersionDifference:
    """Returns the changes from version `before` to version `after`, as far as the caller may see them.

    Raises:
        NotFoundError: there is no such version, or the caller may not see the report.
    """
    older, newer = (selectors.version_get(caller, report, number) for number in (before, after))
    old, new = list(older.blocks.all()), list(newer.blocks.all())
    comparison = _Comparison(names=_names(caller, [*old, *new]))
    changes = sorted(comparison.compare(old, new), key=lambda each: each.position)
    return VersionDifference(before=older, after=newer, changes=changes)


def _key(block: ReportBlock) -> tuple[Any, ...]:
    return (block.kind, block.text) if block.kind == BlockKind.TEXT else (block.kind, block.target_id)


def _shares_a_line(one: ReportBlock, other: ReportBlock) -> bool:
    return not set(one.text.split("\n")).isdisjoint(each for each in other.text.split("\n") if each.strip())


def _names(caller: Caller, blocks: Sequence[ReportBlock]) -> dict[Any, str]:
    """Returns the name of each result, without titles that the caller may not see."""
    shown = selectors.blocks_shown(caller, blocks)
    titles = ((block, each.title or block.target_title) for block, each in zip(blocks, shown, strict=True))
    return {_key(block): f"“{title}”" if title else "A result that you may not see" for block, title in titles}
