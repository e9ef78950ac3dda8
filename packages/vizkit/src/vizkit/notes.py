"""Notes about a result for its readers: what was assumed, left out, cut, sampled or unreadable, with counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import html


class Notes:
    """Sentences in the order in which they were added, without duplicates."""

    def __init__(self, said: Iterable[str] = ()) -> None:
        self._said = dict.fromkeys(said)

    def add(self, sentence: str) -> None:
        """Adds a sentence; ignores ""."""
        if sentence:
            self._said.setdefault(sentence)

    def extend(self, sentences: Iterable[str]) -> None:
        """Adds several sentences."""
        for each in sentences:
            self.add(each)

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)


def counted(count: int, one: str, several: str = "") -> str:
    """Returns a count with its noun: `1 row`, `12,345 rows`."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def left_out(count: float, what: str, one: str = "row") -> str:
    """Returns a sentence about rows left out: `3 rows without a target are left out.`; "" for none."""
    if not count:
        return ""
    shown = f"{count:,.0f}" if float(count).is_integer() else f"{count:,.4g}"
    return f"{shown} {one} {what} is left out." if count == 1 else f"{shown} {one}s {what} are left out."


def listed(names: Iterable[object], limit: int = 8) -> str:
    """Returns names as a list for people, limited to the first ones."""
    shown = [str(each) for each in names]
    more = f" and {len(shown) - limit:,} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more


def markup(said: Iterable[str]) -> str:
    """Returns the markup of notes; "" for none."""
    lines = "".join(f"<li>{html.text(each)}</li>" for each in dict.fromkeys(said))
    return html.group(f'<ul class="vk-notes" aria-label="About this result">{lines}</ul>') if lines else ""


def show(said: Iterable[str]) -> None:
    """Displays notes below the previous output; does nothing if there are none."""
    found = markup(said)
    if found:
        html.show(found)
