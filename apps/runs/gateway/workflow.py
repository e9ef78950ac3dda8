"""Reads a run of KFP 1.x: its Argo Workflow, which the v1beta1 API hands out as JSON text."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from apps.runs import exceptions
from apps.runs.entities import Artifact, Run, State, Step, StepKind
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection

_PHASES: Final = {
    "Pending": State.PENDING,
    "Running": State.RUNNING,
    "Succeeded": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Error": State.FAILED,
    "Skipped": State.SKIPPED,
    "Omitted": State.SKIPPED,
}
_KINDS: Final = {"Pod": StepKind.CONTAINER, "Skipped": StepKind.CONTAINER, "DAG": StepKind.DAG}
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


def read_workflow(connection: Connection, run: Run) -> dict[str, Any]:
    """Returns the run's Workflow.

    Raises:
        RunsError: no answer, or not a Workflow in it.
    """
    body = http.read_json_text(connection, f"/apis/v1beta1/runs/{quote(run.id, safe='')}", {})
    try:
        manifest = json.loads(json.loads(body)["pipeline_runtime"]["workflow_manifest"])
    except (ValueError, KeyError, TypeError) as error:
        host = connection.endpoint.host
        raise exceptions.EndpointError(f"Kubeflow at {host} has no readable workflow of this 1.x run.") from error
    return manifest if isinstance(manifest, dict) else {}


def build_steps(manifest: Mapping[str, Any]) -> tuple[Step, ...]:
    """Returns the steps of a Workflow, in the order they started.

    Pods and skipped pods are steps, DAGs below the root are frames; what Argo adds for itself (step groups,
    retries) is left out, and its children hang on the nearest frame.
    """
    status = manifest.get("status") or {}
    nodes = _nodes(status)
    root = str((manifest.get("metadata") or {}).get("name", ""))
    bucket = _bucket(status)
    shown = {key: node for key, node in nodes.items() if node.get("type") in _KINDS and key != root}
    before = _predecessors(nodes, shown)
    steps = [_step(key, node, bucket, before.get(key, ())) for key, node in shown.items()]
    frames = {key: _frame_of(node, nodes, shown) for key, node in shown.items()}
    ids = {key: step.id for key, step in zip(shown, steps, strict=True)}
    placed = [replace(step, parent_id=ids.get(frames[key] or "")) for key, step in zip(shown, steps, strict=True)]
    return tuple(_parents_first(sorted(placed, key=_started)))


def _nodes(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    nodes = status.get("nodes")
    if not nodes and status.get("compressedNodes"):
        try:
            nodes = json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"])))
        except (ValueError, OSError, EOFError, zlib.error, binascii.Error):
            nodes = {}
    return {key: node for key, node in (nodes or {}).items() if isinstance(node, dict)}


def _bucket(status: Mapping[str, Any]) -> str:
    repository = (status.get("artifactRepositoryRef") or {}).get("artifactRepository") or {}
    return str((repository.get("s3") or {}).get("bucket", ""))


def _step(key: str, node: Mapping[str, Any], bucket: str, depends_on: tuple[str, ...]) -> Step:
    outputs = node.get("outputs") or {}
    prefix = f"{node.get('templateName', '')}-"
    return Step(
        id=_UNSAFE.sub("_", key),
        name=str(node.get("displayName") or key),
        task_name=str(node.get("displayName") or key),
        state=_PHASES.get(str(node.get("phase")), State.UNKNOWN),
        kind=_KINDS[node["type"]],
        inputs=_parameters(node.get("inputs") or {}, ""),
        outputs=_parameters(outputs, prefix),
        artifacts=(
            *_artifacts(key, node.get("inputs") or {}, "input", "", bucket),
            *_artifacts(key, outputs, "output", prefix, bucket),
        ),
        depends_on=depends_on,
        started_at=_moment(node.get("startedAt")),
        finished_at=_moment(node.get("finishedAt")),
        pod_name=key if node["type"] == "Pod" else "",
        error=str(node.get("message") or "") if node.get("phase") in {"Failed", "Error"} else "",
    )


def _parameters(ports: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {str(item.get("name", "")).removeprefix(prefix): item.get("value") for item in ports.get("parameters") or []}


def _artifacts(key: str, ports: Mapping[str, Any], direction: str, prefix: str, bucket: str) -> Iterator[Artifact]:
    for item in ports.get("artifacts") or []:
        stored = item.get("s3") or {}
        holder = stored.get("bucket") or bucket
        name = str(item.get("name", "")).removeprefix(prefix)
        yield Artifact(
            id=_UNSAFE.sub("_", f"{key}.{direction}.{name}"),
            name=name,
            type="system.Artifact",
            uri=f"minio://{holder}/{stored['key']}" if holder and stored.get("key") else "",
            direction=direction,
        )


def _predecessors(nodes: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    before: dict[str, set[str]] = {}
    for key, node in shown.items():
        if node.get("type") == "DAG":
            continue
        for child in _shown_below(node.get("children") or [], nodes, shown, set()):
            before.setdefault(child, set()).add(str(node.get("displayName") or key))
    return {key: tuple(sorted(names)) for key, names in before.items()}


def _shown_below(keys: list[str], nodes: Mapping[str, Any], shown: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    for key in keys:
        if key in seen or key not in nodes:
            continue
        seen.add(key)
        if key in shown:
            yield key
        else:
            yield from _shown_below(nodes[key].get("children") or [], nodes, shown, seen)


def _frame_of(node: Mapping[str, Any], nodes: Mapping[str, Any], shown: Mapping[str, Any]) -> str | None:
    boundary = node.get("boundaryID")
    for _ in range(50):
        if boundary is None or boundary not in nodes:
            return None
        if boundary in shown:
            return str(boundary)
        boundary = nodes[boundary].get("boundaryID")
    return None


def _started(step: Step) -> datetime:
    return step.started_at or _NEVER


def _parents_first(steps: list[Step], parent_id: str | None = None, depth: int = 0) -> Iterator[Step]:
    for step in steps:
        if step.parent_id == parent_id and depth < 50:
            yield step
            yield from _parents_first(steps, step.id, depth + 1)


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.year > 1970 else None
