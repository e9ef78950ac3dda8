"""The nodes of an Argo Workflow: which ones are steps, which are frames around steps, and their dependencies."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = Mapping[str, Any]
_LARGEST_NODES: Final = 64 * 1024**2
_DEEPEST: Final = 100
WORK: Final = frozenset({"Pod", "Skipped", "Suspend", "HTTP", "Plugin", "Container"})
FRAMES: Final = frozenset({"DAG", "Steps", "TaskGroup"})


def read_nodes(status: Any) -> dict[str, Node]:
    """Returns the nodes by id; large Workflows contain them compressed (base64 of gzip of JSON)."""
    held = status if isinstance(status, Mapping) else {}
    nodes = held.get("nodes") or _decompressed(held.get("compressedNodes"))
    return (
        {str(key): node for key, node in nodes.items() if isinstance(node, Mapping)} if isinstance(nodes, dict) else {}
    )


def _decompressed(text: Any) -> Any:
    if not isinstance(text, str) or not text:
        return {}
    try:
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        plain = inflater.decompress(base64.b64decode(text), _LARGEST_NODES)
        return {} if inflater.unconsumed_tail else json.loads(plain)
    except (ValueError, zlib.error, binascii.Error, RecursionError):
        return {}


class NodeTree:
    """The nodes as people see them.

    Argo's internal nodes are left out: step groups, and the tries of a retried node, which belong to that node. The
    root is left out too, unless the whole Workflow is one pod.

    Attributes:
        shown: the steps and frames, by id.
        tries: the tries of each retried node, oldest first, by the node's id.
    """

    def __init__(self, nodes: Mapping[str, Node], root: str) -> None:
        self._nodes = nodes
        self.tries = {key: self._tries(node) for key, node in nodes.items() if node.get("type") == "Retry"}
        self._retried = {attempt: key for key, attempts in self.tries.items() for attempt in attempts}
        groups = {key: self._children(node) for key, node in nodes.items() if node.get("type") == "TaskGroup"}
        self._grouped = {child: key for key, children in groups.items() for child in children}
        self.shown = {key: node for key, node in nodes.items() if self._is_shown(key, node, root)}
        self.parents = {key: self._frame_of(key) for key in self.shown}

    def node(self, key: str) -> Node:
        """Returns a node, whether shown or not."""
        return self._nodes[key]

    def _is_shown(self, key: str, node: Node, root: str) -> bool:
        kind = node.get("type")
        if key in self._retried:
            return False
        return kind in WORK or kind == "Retry" or (kind in FRAMES and key != root)

    def _children(self, node: Node) -> list[str]:
        listed = node.get("children")
        return [str(key) for key in listed if str(key) in self._nodes] if isinstance(listed, list) else []

    def _tries(self, node: Node) -> list[str]:
        return sorted(self._children(node), key=lambda key: str(self._nodes[key].get("startedAt") or "9"))

    def _frame_of(self, key: str) -> str | None:
        """Returns the nearest frame around a node: the group it was fanned out from, else the one of its boundary."""
        if key in self._grouped and self._grouped[key] in self.shown:
            return self._grouped[key]
        boundary = self._nodes[key].get("boundaryID")
        for _ in range(_DEEPEST):
            if boundary is None or boundary not in self._nodes or boundary == key:
                return None
            if boundary in self.shown:
                return str(boundary)
            boundary = self._nodes[boundary].get("boundaryID")
        return None

    def predecessors(self) -> dict[str, set[str]]:
        """Returns for each shown node the siblings it waits for.

        Argo's children lead from a frame to its first nodes, and from a frame's last nodes to what comes after it. Each
        such edge is lifted to the level at which both ends are in the same frame.
        """
        before: dict[str, set[str]] = {key: set() for key in self.shown}
        for key in self.shown:
            if self._nodes[key].get("type") in FRAMES:
                continue
            for following in self._shown_after(key):
                source, target = self._lifted(key, following)
                if source is not None and target is not None and source != target:
                    before[target].add(source)
        return before

    def _shown_after(self, key: str) -> Iterator[str]:
        starts = [key, *self.tries.get(key, ())]
        waiting = [child for start in starts for child in self._children(self._nodes[start])]
        seen: set[str] = {*starts}
        while waiting:
            child = waiting.pop()
            if child in seen:
                continue
            seen.add(child)
            if child in self.shown:
                yield child
            else:
                waiting.extend(self._children(self._nodes[child]))

    def _lifted(self, source: str, target: str) -> tuple[str | None, str | None]:
        above_source = self._ancestors(source)
        above_target = self._ancestors(target)
        common = next((frame for frame in above_source if frame in above_target), None)
        return self._child_of(common, source), self._child_of(common, target)

    def _ancestors(self, key: str) -> list[str | None]:
        found: list[str | None] = []
        frame = self.parents.get(key)
        while frame is not None and frame not in found and len(found) < _DEEPEST:
            found.append(frame)
            frame = self.parents.get(frame)
        return [*found, None]

    def _child_of(self, frame: str | None, key: str) -> str | None:
        for _ in range(_DEEPEST):
            above = self.parents.get(key)
            if above == frame:
                return key
            if above is None:
                return None
            key = above
        return None
