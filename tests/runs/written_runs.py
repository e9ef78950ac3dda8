"""Generates runs as KFP 2.17's driver and launcher write them into ML Metadata, with the expected steps.

The rows are plain JSON for the real store (tests/mlmd_store/server.py) and the fake Kubeflow (tests/runs/kubeflow.py).
The expected steps are computed while the rows are generated, not from the rows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

TYPES = ("system.Dataset", "system.Model", "system.Metrics", "system.Artifact", "acme.Report")


@dataclass
class WrittenRun:
    """Attributes:
    spec: the IR.
    rows: run_id, executions, artifacts, events.
    expected: the steps that the portal must show, by id.
    """

    run_id: str
    spec: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: str = "SUCCEEDED"


class Writer:
    """Writes one run of about `size` steps."""

    def __init__(self, run_id: str, seed: int, size: int, artifacts_each: int = 4) -> None:
        self._rng = random.Random(seed)
        self._left = size
        self._artifacts_each = artifacts_each
        self._components: dict[str, Any] = {}
        self._executors: dict[str, Any] = {}
        self._numbers = iter(range(10**6))
        self.run = WrittenRun(run_id=run_id)
        self.run.rows = {"run_id": run_id, "executions": [], "artifacts": [], "events": []}

    def write(self) -> WrittenRun:
        """Returns the run."""
        root = self._execution("system.DAGExecution", "RUNNING", None, task_name="", display_name="")
        tasks: dict[str, Any] = {}
        while self._left > 0:
            tasks |= self._dag(root, "", 0, prefix=f"t{next(self._numbers)}-")
        self.run.spec = {
            "pipelineInfo": {"name": "written"},
            "root": {"dag": {"tasks": tasks}},
            "components": self._components,
            "deploymentSpec": {"executors": self._executors},
        }
        return self.run

    def _dag(self, parent: str | None, path: str, depth: int, prefix: str = "") -> dict[str, Any]:
        """Writes the tasks of one graph. `parent` is None if none of them started."""
        tasks: dict[str, Any] = {}
        before: list[tuple[str, list[tuple[str, str]]]] = []
        for number in range(self._rng.randint(2, 5)):
            kind = self._rng.choice(("container",) * 6 + (("loop", "condition", "dag", "exit") if depth < 3 else ()))
            kind = "importer" if kind == "container" and self._rng.random() < 0.1 else kind
            name = {"loop": "for-loop", "condition": "condition", "exit": "exit-handler"}.get(kind, kind)
            name = (
                f"{prefix}{name}-{number}" if kind in {"container", "importer", "dag"} else f"{name}-{prefix}{number}"
            )
            step_id = f"{path}.{name}" if path else name
            body: dict[str, Any] = {"componentRef": {"name": f"comp-{next(self._numbers)}"}, "taskInfo": {"name": name}}
            if before and self._rng.random() < 0.6:
                body["dependentTasks"] = [before[-1][0]]
            made = self._task(kind, name, step_id, body, parent, depth, before[-1][1] if before else [])
            tasks[name] = body
            before.append((name, made))
        return tasks

    def _task(self, kind, name, step_id, body, parent, depth, inputs) -> list[tuple[str, str]]:
        self._left -= 1
        if kind in {"container", "importer"}:
            return self._worker(kind, name, step_id, body, parent, inputs)
        component: dict[str, Any] = {}
        self._components[body["componentRef"]["name"]] = component
        if kind == "loop":
            body["parameterIterator"] = {"items": {"raw": "[]"}, "itemInput": "item"}
            self._loop(name, step_id, component, parent, depth)
            return []
        if kind == "condition":
            body["triggerPolicy"] = {"condition": "1 == 2"}
        is_false = kind == "condition" and self._rng.random() < 0.4
        own = None
        if parent is not None:
            state = "CANCELED" if is_false else "RUNNING"
            own = self._execution("system.DAGExecution", state, parent, task_name=name, display_name=name)
        self._expect(step_id, name, kind={"exit": "exit_handler"}.get(kind, kind))
        component["dag"] = {"tasks": self._dag(None if is_false else own, step_id, depth + 1)}
        self.run.expected[step_id]["state"] = "skipped" if is_false or own is None else self._frame_state(step_id)
        return []

    def _loop(self, name, step_id, component, parent, depth) -> None:
        count = self._rng.randint(1, 3)
        self._expect(step_id, name, kind="loop", iteration_count=count if parent is not None else None)
        if parent is None:
            component["dag"] = {"tasks": self._dag(None, step_id, depth + 1)}
            self.run.expected[step_id]["state"] = "skipped"
            return
        more = {"task_name": name, "display_name": name}
        loop = self._execution("system.DAGExecution", "RUNNING", parent, iteration_count=count, **more)
        state = self._rng.getstate()
        numbers = next(self._numbers)
        for index in range(count):
            # Every iteration has the same tasks, so make the same choices again.
            self._rng.setstate(state)
            self._numbers = iter(range(numbers, 10**6))
            own = self._execution("system.DAGExecution", "RUNNING", loop, iteration_index=index, **more)
            iteration_id = f"{step_id}.{index}"
            self._expect(iteration_id, f"{name} #{index + 1}", kind="iteration", iteration_index=index)
            component["dag"] = {"tasks": self._dag(own, iteration_id, depth + 1)}
            self.run.expected[iteration_id]["state"] = self._frame_state(iteration_id)
        self.run.expected[step_id]["state"] = self._frame_state(step_id)

    def _worker(self, kind, name, step_id, body, parent, inputs) -> list[tuple[str, str]]:
        self._components[body["componentRef"]["name"]] = {"executorLabel": f"exec-{body['componentRef']['name']}"}
        self._executors[f"exec-{body['componentRef']['name']}"] = {"container": {"image": "python:3.11"}}
        if kind == "importer":
            return self._importer(name, step_id, body, parent)
        state = self._rng.choice(("COMPLETE",) * 8 + ("CACHED", "FAILED"))
        tries = self._rng.choice((0,) * 8 + (1, 2)) if kind == "container" else 0
        if parent is None or self._rng.random() < 0.05:
            self._expect(step_id, name, kind=kind, state="skipped")
            return []
        if state == "FAILED":
            self.run.state = "FAILED"
        more = {"task_name": name, "display_name": name, "inputs": {"rate": 0.1, "names": ["a", "b"]}, "outputs": {}}
        for number in range(tries):
            self._execution(f"system.{kind.title()}Execution", "FAILED", parent, pod_name=f"{name}-{number}", **more)
        outputs = {"rows": 244.0, "text": "<b>\N{GRINNING FACE}</b>"} if state != "FAILED" else {}
        cached = {"cached_from": "999999"} if state == "CACHED" else {}
        key = self._execution(
            f"system.{kind.title()}Execution", state, parent, **{**more, "outputs": outputs, "pod_name": name}, **cached
        )
        self._expect(
            step_id,
            name,
            kind=kind,
            state={"COMPLETE": "succeeded", "CACHED": "cached", "FAILED": "failed"}[state],
            tries=tries + 1 if tries else 0,
            inputs={"rate": 0.1, "names": ["a", "b"]},
            outputs={"rows": 244, "text": "<b>\N{GRINNING FACE}</b>"} if outputs else {},
        )
        for artifact, port in inputs:
            self._event(key, artifact, "INPUT", port, step_id)
        return self._outputs(key, step_id) if state != "FAILED" else []

    def _importer(self, name, step_id, body, parent) -> list[tuple[str, str]]:
        """Writes an importer as the launcher does: `task_name` is the display name, which other tasks may share."""
        shown = self._rng.choice(("Load data", name))
        body["taskInfo"]["name"] = shown
        uri, kind = f"gs://data/{self.run.run_id}/{name}.csv", "system.Dataset"
        importer = {"typeSchema": {"schemaTitle": kind}, "artifactUri": {"constant": uri}}
        if self._rng.random() < 0.5:
            importer["artifactUri"] = {"runtimeParameter": "uri"}
            body["inputs"] = {"parameters": {"uri": {"runtimeValue": {"constant": uri}}}}
        self._executors[f"exec-{body['componentRef']['name']}"] = {"importer": importer}
        if parent is None:
            self._expect(step_id, shown, kind="importer", state="skipped")
            return []
        type_ = self._rng.choice(("system.ImporterExecution", "system.ImporterWorkspaceExecution"))
        key = self._execution(type_, "COMPLETE", parent, task_name=shown, display_name="", task_key=name)
        self._expect(step_id, shown, kind="importer", state="succeeded")
        artifact = self._artifact("artifact", uri, kind)
        self._event(key, artifact, "OUTPUT", "artifact", step_id)
        return [(artifact, "artifact")]

    def _outputs(self, execution: str, step_id: str) -> list[tuple[str, str]]:
        made = []
        for number in range(self._artifacts_each):
            # The last two share a name, so that they are a list of artifacts.
            port = f"out-{min(number, max(0, self._artifacts_each - 2))}"
            artifact = self._artifact(port)
            self._event(execution, artifact, "OUTPUT", port, step_id)
            made.append((artifact, port))
        return made

    def _artifact(self, port: str, uri: str = "", kind: str = "") -> str:
        key = f"a{len(self.run.rows['artifacts'])}"
        metadata = {
            "display_name": port,
            "store_session_info": '{"Provider": "minio", "Params": {"secretName": "mlpipeline-minio-artifact"}}',
            "rows": 7,
            "score": 0.25,
            "text": "ein Text <i>",
            "listed": {"list": [1.0, "b", {"c": None}]},
            "object": {"struct": {"deep": [True, 2.0]}},
        }
        uri = uri or f"minio://mlpipeline/v2/artifacts/written/{self.run.run_id}/{key}/{port}"
        kind = kind or self._rng.choice(TYPES)
        self.run.rows["artifacts"].append({"key": key, "type": kind, "uri": uri, "metadata": metadata})
        return key

    def _event(self, execution: str, artifact: str, kind: str, port: str, step_id: str) -> None:
        self.run.rows["events"].append({"execution": execution, "artifact": artifact, "type": kind, "key": port})
        row = self.run.rows["artifacts"][int(artifact[1:])]
        seen = (port, kind.lower(), row["type"], row["uri"])
        self.run.expected[step_id]["artifacts"].append(seen)

    def _execution(self, kind: str, state: str, parent: str | None, **properties: Any) -> str:
        key = f"n{len(self.run.rows['executions'])}"
        row: dict[str, Any] = {"key": key, "type": kind, "state": state, "parent": parent}
        if "cached_from" in properties:
            row["cached_from"] = properties.pop("cached_from")
        row["task_key"] = properties.pop("task_key", properties.get("task_name", ""))
        row["properties"] = properties
        self.run.rows["executions"].append(row)
        return key

    def _expect(self, step_id: str, name: str, **facts: Any) -> None:
        self.run.expected[step_id] = {
            "name": name,
            "kind": "",
            "state": "",
            "parent": step_id.rpartition(".")[0] or None,
            "iteration_index": None,
            "iteration_count": None,
            "tries": 0,
            "inputs": {},
            "outputs": {},
            "artifacts": [],
            **facts,
        }

    def _frame_state(self, step_id: str) -> str:
        inside = [facts["state"] for facts in self.run.expected.values() if facts["parent"] == step_id]
        if "failed" in inside:
            return "failed"
        return "skipped" if inside and all(state == "skipped" for state in inside) else "succeeded"


METADATA = {
    "rows": 7,
    "score": 0.25,
    "text": "ein Text <i>",
    "listed": [1, "b", {"c": None}],
    "object": {"deep": [True, 2]},
}
"""What every written artifact's metadata must read as, beside its display name."""


def shown(steps: Any) -> dict[str, dict[str, Any]]:
    """Returns steps in the shape of `WrittenRun.expected`."""
    return {
        step.id: {
            "name": step.name,
            "kind": step.kind.value,
            "state": step.state.value,
            "parent": step.parent_id,
            "iteration_index": step.iteration_index,
            "iteration_count": step.iteration_count,
            "tries": len(step.attempts),
            "inputs": dict(step.inputs),
            "outputs": dict(step.outputs),
            "artifacts": [(each.name, each.direction, each.type, each.uri) for each in step.artifacts],
        }
        for step in steps
    }
