"""Converts an Argo Workflow's nodes to steps: states, values, artifacts, attempts, metrics."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from apps.runs.entities import Artifact, Attempt, State, Step, StepKind
from apps.runs.gateway.json_reading import mapping, mappings
from apps.runs.gateway.workflow_nodes import Node, NodeTree, read_nodes

_PHASES: Final = {
    "Pending": State.PENDING,
    "Running": State.RUNNING,
    "Succeeded": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Error": State.FAILED,
    "Skipped": State.SKIPPED,
    "Omitted": State.SKIPPED,
}
_KINDS: Final = {"DAG": StepKind.DAG, "Steps": StepKind.DAG, "TaskGroup": StepKind.LOOP}
_FAILED: Final = frozenset({"Failed", "Error"})
_METRICS: Final = "mlpipeline-metrics"
_POD_NAMES: Final = "workflows.argoproj.io/pod-name-format"
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_DEEPEST: Final = 50


def build_steps(manifest: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]]) -> tuple[Step, ...]:
    """Returns the steps of a Workflow, parents before children, in the order in which they started.

    Args:
        manifest: the Workflow; anything in it may be missing or malformed.
        metrics: by node id.
    """
    metadata, status = mapping(manifest.get("metadata")), mapping(manifest.get("status"))
    root = str(metadata.get("name") or "")
    tree = NodeTree(read_nodes(status), root)
    reader = _Reader(
        tree=tree,
        root=root,
        repository=mapping(mapping(status.get("artifactRepositoryRef")).get("artifactRepository")),
        has_new_pod_names=mapping(metadata.get("annotations")).get(_POD_NAMES) == "v2",
        metrics=metrics,
    )
    return tuple(_parents_first(sorted(reader.steps(), key=lambda step: step.started_at or _NEVER)))


def step_id(key: str) -> str:
    """Returns a node's id as used in URLs."""
    return _UNSAFE.sub("_", key)


class _Reader:
    def __init__(
        self,
        *,
        tree: NodeTree,
        root: str,
        repository: Mapping[str, Any],
        has_new_pod_names: bool,
        metrics: Mapping[str, Mapping[str, float]],
    ) -> None:
        self._tree = tree
        self._root = root
        self._repository = repository
        self._has_new_pod_names = has_new_pod_names
        self._metrics = metrics

    def steps(self) -> Iterator[Step]:
        """Yields a step for each shown node."""
        names = self._names()
        before = self._tree.predecessors()
        for key, node in self._tree.shown.items():
            yield self._step(key, node, names, tuple(sorted(names[each] for each in before[key])))

    def _names(self) -> dict[str, str]:
        """Returns task names, unique within their frame, because edges refer to them."""
        shown = self._tree.shown
        titles = {key: str(node.get("displayName") or key) for key, node in shown.items()}
        counts = Counter((self._tree.parents[key], title) for key, title in titles.items())
        return {key: title if counts[self._tree.parents[key], title] == 1 else key for key, title in titles.items()}

    def _step(self, key: str, node: Node, names: Mapping[str, str], depends_on: tuple[str, ...]) -> Step:
        tries = self._tree.tries.get(key, [])
        # The newest try has values that the retried node itself may lack.
        working = self._tree.node(tries[-1]) if tries else node
        parent = self._tree.parents[key]
        prefix = f"{working.get('templateName') or node.get('templateName') or ''}-"
        outputs = mapping(node.get("outputs")) or mapping(working.get("outputs"))
        inputs = mapping(node.get("inputs")) or mapping(working.get("inputs"))
        artifacts = [
            *self._artifacts(key, inputs, "input", ""),
            *self._artifacts(key, outputs, "output", prefix),
        ]
        return Step(
            id=step_id(key),
            name=str(node.get("displayName") or key),
            task_name=names[key],
            state=_PHASES.get(str(node.get("phase")), State.UNKNOWN),
            kind=_KINDS.get(str(node.get("type")), StepKind.CONTAINER),
            parent_id=step_id(parent) if parent else None,
            inputs=_parameters(inputs, ""),
            outputs=_parameters(outputs, prefix),
            artifacts=tuple(self._with_metrics(artifacts, [key, *tries])),
            depends_on=depends_on,
            started_at=_moment(node.get("startedAt")),
            finished_at=_moment(node.get("finishedAt")),
            pod_name=self._pod_name(tries[-1] if tries else key, working),
            error=str(node.get("message") or working.get("message") or "") if node.get("phase") in _FAILED else "",
            attempts=tuple(self._attempt(each) for each in tries) if len(tries) > 1 else (),
        )

    def _attempt(self, key: str) -> Attempt:
        node = self._tree.node(key)
        return Attempt(
            id=step_id(key),
            state=_PHASES.get(str(node.get("phase")), State.UNKNOWN),
            started_at=_moment(node.get("startedAt")),
            finished_at=_moment(node.get("finishedAt")),
            pod_name=self._pod_name(key, node),
            error=str(node.get("message") or "") if node.get("phase") in _FAILED else "",
        )

    def _pod_name(self, key: str, node: Node) -> str:
        if node.get("type") != "Pod":
            return ""
        template = str(node.get("templateName") or "")
        if not self._has_new_pod_names or key == self._root or not template:
            return key
        # Argo 3.4 inserts the template between the Workflow's name and the hash (workflow/util/pod_name.go).
        return f"{self._root}-{template}-{key.rpartition('-')[2]}"

    def _artifacts(self, key: str, ports: Mapping[str, Any], direction: str, prefix: str) -> Iterator[Artifact]:
        for item in mappings(ports.get("artifacts")):
            name = str(item.get("name") or "").removeprefix(prefix)
            yield Artifact(
                id=step_id(f"{key}.{direction}.{name}"),
                name=name,
                type="system.Artifact",
                uri=self._uri(item),
                direction=direction,
            )

    def _uri(self, item: Mapping[str, Any]) -> str:
        """Returns an artifact's URI. A node gives it in full, or only the key in the Workflow's repository."""
        for kind, scheme in (("s3", "minio"), ("gcs", "gs"), ("oss", "oss")):
            stored = mapping(item.get(kind))
            bucket = stored.get("bucket") or mapping(self._repository.get(kind)).get("bucket")
            if stored.get("key") and bucket:
                return f"{scheme}://{bucket}/{stored['key']}"
        return str(mapping(item.get("http")).get("url") or "")

    def _with_metrics(self, artifacts: list[Artifact], keys: list[str]) -> Iterator[Artifact]:
        """Adds the API's metrics to the step's metrics artifact, or to a new one if it has none."""
        values = {name: value for key in keys for name, value in self._metrics.get(key, {}).items()}
        has_own = False
        for artifact in artifacts:
            if values and artifact.direction == "output" and artifact.name == _METRICS:
                has_own = True
                yield _metrics_artifact(artifact.id, artifact.uri, values)
            else:
                yield artifact
        if values and not has_own:
            yield _metrics_artifact(step_id(f"{keys[0]}.output.{_METRICS}"), "", values)


def _metrics_artifact(artifact_id: str, uri: str, values: Mapping[str, float]) -> Artifact:
    return Artifact(
        id=artifact_id, name=_METRICS, type="system.Metrics", uri=uri, direction="output", metadata=dict(values)
    )


def _parameters(ports: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        str(item.get("name") or "").removeprefix(prefix): item.get("value")
        for item in mappings(ports.get("parameters"))
    }


def _parents_first(steps: list[Step]) -> Iterator[Step]:
    children: dict[str | None, list[Step]] = {}
    for step in steps:
        children.setdefault(step.parent_id, []).append(step)
    waiting = [(step, 0) for step in reversed(children.get(None, []))]
    while waiting:
        step, depth = waiting.pop()
        yield step
        if depth < _DEEPEST:
            waiting.extend((child, depth + 1) for child in reversed(children.get(step.id, [])))


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.year > 1970 else None
