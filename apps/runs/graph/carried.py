"""Artifacts in the graph: each once, between the step that wrote it and the steps that read it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from apps.runs.entities import Artifact, Step
from apps.runs.graph.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One artifact to draw.

    Attributes:
        step: the step that wrote it.
        source: the box where the line starts: that step, or the closed frame that contains it.
        targets: the boxes of the steps that read it, in the same frame as `source`.
        readers: the names of the steps that read it.
    """

    artifact: Artifact
    step: Step
    source: str
    targets: tuple[str, ...]
    readers: tuple[str, ...]

    @property
    def key(self) -> str:
        """The id of the artifact in lines; no step has such an id."""
        return f"artifact:{self.step.id}:{self.artifact.name}:{self.artifact.id}"


def by_level(tree: Tree) -> dict[str, list[Carried]]:
    """Returns the artifacts to draw, by the id of the frame they are placed in.

    An artifact written inside a frame and read outside is placed outside, so that both lines are visible. An artifact
    that never leaves a closed frame is not drawn.
    """
    readers = _Readers(tree)
    found: dict[str, list[Carried]] = defaultdict(list)
    written: set[str] = set()
    # Innermost writers first: a frame passes on what a step in it wrote, under the same id.
    for step in reversed(list(tree.by_id.values())):
        if tree.visible(step.id) is None:
            continue
        for artifact in step.artifacts:
            if artifact.direction != "output" or artifact.id in written:
                continue
            written.add(artifact.id)
            level, carried = _place(tree, step, artifact, readers.of(artifact))
            if carried is not None:
                found[level].append(carried)
    return {level: items[::-1] for level, items in found.items()}


class _Readers:
    """The readers of each artifact: by its id, or by its URI if Argo gave the two ends separate ids (1.x)."""

    def __init__(self, tree: Tree) -> None:
        ports = [(step, artifact) for step in tree.by_id.values() for artifact in step.artifacts]
        written = {artifact.id for _, artifact in ports if artifact.direction == "output"}
        self.by_id: dict[str, list[Step]] = defaultdict(list)
        self.by_uri: dict[str, list[Step]] = defaultdict(list)
        for step, artifact in ports:
            if artifact.direction != "input" or tree.children.get(step.id):
                continue
            self.by_id[artifact.id].append(step)
            if artifact.uri and artifact.id not in written:
                self.by_uri[artifact.uri].append(step)

    def of(self, artifact: Artifact) -> list[Step]:
        """Returns the steps that read it, in the order of the tree."""
        return self.by_id.get(artifact.id) or self.by_uri.get(artifact.uri, [])


def _place(tree: Tree, step: Step, artifact: Artifact, readers: list[Step]) -> tuple[str, Carried | None]:
    own = tree.chain(step.id)
    chains = [chain for reader in readers if (chain := tree.chain(reader.id)) and chain != own]
    if own[-1] != step.id and not chains:
        return "", None
    depth = min((_shared(own, chain) for chain in chains), default=len(own) - 1)
    depth = min(depth, len(own) - 1)
    carried = Carried(
        artifact=artifact,
        step=step,
        source=own[depth],
        targets=tuple(dict.fromkeys(chain[depth] for chain in chains if len(chain) > depth)),
        readers=tuple(dict.fromkeys(reader.name for reader in readers)),
    )
    return own[depth - 1] if depth else "", carried


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
