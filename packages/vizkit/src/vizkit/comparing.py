"""The page of a comparison: the differences between saved results, each compared with the first."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from . import differences, drawings, html, overlay
from .key_figures import figure
from .notes import Notes, counted, listed
from .saved_results import SavedResult, SavedTable, Spec

_MOST_DRAWN: Final = 12
_MOST_SHOWN: Final = 40


class Comparison:
    """Compares results with the first of them: sections of markup, and counts of differences."""

    def __init__(self, results: Sequence[SavedResult], variables: Mapping[str, Any]) -> None:
        if len(results) < 2:
            raise ValueError("A comparison needs two results or more.")
        self._results = results
        self._key = [str(each) for each in variables.get("key") or ()]
        self._strong = min(int(variables.get("highlight") or len(results)), len(results)) - 1
        self._labels = [f"{place}. {each.label}" for place, each in enumerate(results, 1)]
        self.notes = Notes()
        self.counts = dict.fromkeys(
            ("figures", "cells", "rows_added", "rows_removed", "lines", "pictures", "charts"), 0
        )
        self._sections: list[str] = []

    def show(self) -> None:
        """Displays the comparison and adds its key figures."""
        unread = [label for label, each in zip(self._labels, self._results, strict=True) if not each.is_read]
        if unread:
            self.notes.add(f"Only the key figures of {listed(unread)} are compared: no notebook was stored.")
        figures, self.counts["figures"] = differences.figures_table([each.figures for each in self._results])
        self._charts()
        self._each_pair("table", lambda result: result.tables, self._table)
        self._each_pair("picture", lambda result: result.pictures, self._picture)
        self._each_pair("text", lambda result: result.texts, self._text)
        total = sum(self.counts.values())
        named = "".join(f"<li>{html.text(each.label)}</li>" for each in self._results)
        head = html.group(f'<ol class="vk-compared">{named}</ol>{figures}', title=_summary(self.counts))
        html.show(f'{head}<div class="vk vk-sections">{"".join(self._sections)}</div>')
        figure("differences", total, better="none")
        for name, count in self.counts.items():
            figure(f"changed_{name}" if not name.startswith("rows_") else name, count)

    def _charts(self) -> None:
        found: dict[tuple[str, int], dict[int, Spec]] = {}
        for at, result in enumerate(self._results):
            seen: Counter[str] = Counter()
            for spec in result.charts:
                title = overlay.title_of(spec)
                found.setdefault((title, seen[title]), {})[at] = spec
                seen[title] += 1
        for same in list(found.values())[:_MOST_DRAWN]:
            self._chart(list(same), list(same.values()))
        if len(found) > _MOST_DRAWN:
            self.notes.add(f"The first {_MOST_DRAWN} of {len(found):,} charts are compared.")

    def _chart(self, places: Sequence[int], specs: Sequence[Spec]) -> None:
        title = overlay.title_of(specs[0]) or "Chart"
        labels = [self._labels[at] for at in places]
        if len(specs) < len(self._results):
            missing = [at + 1 for at in range(len(self._results)) if at not in places]
            self.notes.add(f"{title}: not in number {listed(missing)}.")
            self.counts["charts"] += len(missing)
        differing = sum(overlay.rows_of(each) != overlay.rows_of(specs[0]) for each in specs[1:])
        self.counts["charts"] += differing
        if not differing:
            if len(specs) > 1:
                self.notes.add(f"{title}: no differences.")
            return
        if all(map(overlay.has_curves, specs)):
            self._sections.append(drawings.draw([overlay.overlaid(labels, specs, self._strong)]))
            return
        self._sections.append(html.group("", title=title))
        self._sections.append(
            drawings.draw([_named(spec, label) for spec, label in zip(specs, labels, strict=True)][:_MOST_DRAWN])
        )
        first = overlay.as_table(specs[0])
        for label, spec in zip(labels[1:_MOST_SHOWN], specs[1:_MOST_SHOWN], strict=False):
            other = overlay.as_table(spec)
            if first and other:
                self._table_section(f"{title}, {_against(label, labels[0])}", first, other, is_counted=False)

    def _each_pair(
        self, what: str, parts: Callable[[SavedResult], Sequence[Any]], compare: Callable[[str, Any, Any], None]
    ) -> None:
        """Compares the parts at the same position in the first result and in each other result."""
        first = parts(self._results[0])
        for label, result in zip(self._labels[1:], self._results[1:], strict=True):
            if not result.is_read or not self._results[0].is_read:
                continue
            for place, (old, new) in enumerate(zip_longest(first, parts(result)), 1):
                name = f"{what.capitalize()} {place}" if max(len(first), len(parts(result))) > 1 else what.capitalize()
                if old is None or new is None:
                    which = self._labels[0] if new is None else label
                    self.notes.add(f"{name} is only in number {which.partition('.')[0]}.")
                    self.counts["lines" if what == "text" else "pictures" if what == "picture" else "cells"] += 1
                    continue
                compare(f"{name}, {_against(label, self._labels[0])}", old, new)

    def _table(self, caption: str, first: SavedTable, other: SavedTable) -> None:
        for table in (first, other):
            if table.total > len(table.rows):
                self.notes.add(f"{caption}: only the first {len(table.rows):,} of {table.total:,} rows are compared.")
        self._table_section(caption, first, other)

    def _table_section(self, caption: str, first: SavedTable, other: SavedTable, *, is_counted: bool = True) -> None:
        found = differences.table_difference(first, other, self._key if is_counted else ())
        if is_counted:
            self.counts["cells"] += found.cells + len(found.added_columns) + len(found.removed_columns)
            self.counts["rows_added"] += found.count("added")
            self.counts["rows_removed"] += found.count("removed")
        if not found.total:
            self.notes.add(f"{caption}: no differences.")
            return
        for names, word in ((found.added_columns, "added"), (found.removed_columns, "removed")):
            if names:
                self.notes.add(f"{caption}: {counted(len(names), 'column')} {word}: {listed(names)}.")
        if found.rows and not found.key:
            self.notes.add(f"{caption}: rows are compared in order, because no column identifies them.")
        elif found.rows:
            self.notes.add(f"{caption}: rows are matched by {listed(found.key)}.")
        self._sections.append(html.group(differences.table_markup(found, caption)))

    def _picture(self, caption: str, first: str, other: str) -> None:
        if _digest(first) == _digest(other):
            self.notes.add(f"{caption}: no differences.")
            return
        self.counts["pictures"] += 1
        names = [html.text(each) for each in ("before", "after")]
        images = "".join(
            f'<img class="vk-{name}" src="{html.text(url)}" alt="{name}">'
            for name, url in zip(names, (first, other), strict=True)
        )
        inner = (
            f'<h2>{html.text(caption)}</h2><div class="vk-pair">{images}</div>'
            f'<label class="vk-slide">First <input type="range" min="0" max="100" value="50"'
            f' aria-label="How much of the first picture is shown"> Other</label>'
        )
        self._sections.append(html.component("slider", {}, inner=inner, before=("shared",)))

    def _text(self, caption: str, first: str, other: str) -> None:
        markup, count = differences.text_markup(first, other)
        if not count:
            return
        self.counts["lines"] += count
        self._sections.append(html.group(markup, title=caption))


def _named(spec: Spec, label: str) -> Spec:
    """Returns a specification titled after its result."""
    title = spec.get("title")
    own = {**title, "text": label} if isinstance(title, Mapping) else label
    return {**spec, "title": own}


def _against(label: str, first: str) -> str:
    """Returns which results are compared, by number."""
    return f"{label.partition('.')[0]} against {first.partition('.')[0]}"


def _digest(url: str) -> bytes:
    return hashlib.sha256(url.encode()).digest()


_WORDS: Final = {
    "figures": "key figure",
    "cells": "cell",
    "rows_added": "added row",
    "rows_removed": "removed row",
    "charts": "chart",
    "pictures": "picture",
    "lines": "line of text",
}


def _summary(counts: Mapping[str, int]) -> str:
    said = [
        counted(counts[name], word, "lines of text" if name == "lines" else "")
        for name, word in _WORDS.items()
        if counts[name]
    ]
    return f"Differences: {', '.join(said)}" if said else "No differences"
