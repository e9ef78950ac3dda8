"""Which parts of a graph are shown: open frames, and the iteration of each loop.

All of it is in the URL, so a link shows another person the same graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

_MOST_NAMED: Final = 500
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphViewState:
    """The look of a graph that a URL requests.

    Attributes:
        opened: ids of frames opened by hand; `closed` are those closed by hand.
        frames: "open" or "closed" for all frames that were not toggled by hand; "" lets their number decide.
        iterations: the number of the iteration to show, by the loop's id.
        has_artifacts: whether artifacts are drawn between their steps.
        is_forced: whether the graph is drawn even though it is so large that the list would come first.
    """

    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    frames: str = ""
    iterations: Mapping[str, int] = field(default_factory=dict)
    has_artifacts: bool = False
    is_forced: bool = False

    @classmethod
    def from_query(cls, query: Any) -> GraphViewState:
        """Parses a URL's query and ignores invalid parts.

        Args:
            query: a QueryDict.
        """
        pairs = [word.rpartition(":") for word in _words(query.getlist("iteration"))]
        frames = query.get("frames", "")
        return cls(
            opened=frozenset(_words(query.getlist("open"))),
            closed=frozenset(_words(query.getlist("close"))),
            frames=frames if frames in {"open", "closed"} else "",
            iterations={loop: int(number) for loop, _, number in pairs if loop and _NUMBER.fullmatch(number)},
            has_artifacts=query.get("artifacts") == "1",
            is_forced=query.get("draw") == "1",
        )

    def query(self, *, view: str = "") -> str:
        """Returns the URL's query, without the question mark; "" if everything is at its default."""
        values = {
            "view": "" if view == "graph" and not self.is_forced else view,
            "frames": self.frames,
            "open": ",".join(sorted(self.opened)),
            "close": ",".join(sorted(self.closed)),
            "iteration": ",".join(f"{loop}:{number}" for loop, number in sorted(self.iterations.items())),
            "artifacts": "1" if self.has_artifacts else "",
            "draw": "1" if self.is_forced else "",
        }
        return "&".join(f"{name}={quote(value, safe=',:')}" for name, value in values.items() if value)

    def toggled(self, frame_id: str, *, is_open: bool, opens_itself: bool) -> GraphViewState:
        """Returns the look with one frame toggled.

        Args:
            frame_id: the frame.
            is_open: whether it is open now.
            opens_itself: whether it is open by default.
        """
        opened, closed = self.opened - {frame_id}, self.closed - {frame_id}
        if is_open and opens_itself:
            closed |= {frame_id}
        if not is_open and not opens_itself:
            opened |= {frame_id}
        return replace(self, opened=opened, closed=closed)

    def at(self, loop_id: str, number: int) -> GraphViewState:
        """Returns the look with another iteration of a loop."""
        return replace(self, iterations={**self.iterations, loop_id: number})

    def with_frames(self, frames: str) -> GraphViewState:
        """Returns the look with every frame open or closed."""
        return replace(self, frames=frames, opened=frozenset(), closed=frozenset())


def _words(values: Iterable[str]) -> list[str]:
    return [word for value in values for word in value.split(",") if word][:_MOST_NAMED]
