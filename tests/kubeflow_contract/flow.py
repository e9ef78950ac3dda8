"""Defines a pipeline with every kind of task, and writes its tasks through the task API as Kubeflow's drivers do."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, dsl

from tests.kubeflow_contract.asking import Server


@dsl.component(base_image="python:3.11")
def make(n: int) -> int:
    return n


@dsl.component(base_image="python:3.11")
def judge(metrics: dsl.Output[dsl.Metrics], model: dsl.Output[dsl.Model]):
    metrics.log_metric("auc", 0.5)


@dsl.pipeline(name="contract-flow")
def flow(n: int = 3):
    tidy = make(n=0).set_display_name("Tidy up")
    with dsl.ExitHandler(tidy):
        first = make(n=n)
        with dsl.If(first.output > 2):
            judge()
        with dsl.Else():
            make(n=1)
        with dsl.ParallelFor([1, 2]) as item:
            make(n=item)
        dsl.importer(artifact_uri="minio://bucket/data.csv", artifact_class=dsl.Dataset)


def spec() -> dict[str, Any]:
    """Returns the compiled pipeline."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "flow.yaml"
        compiler.Compiler().compile(flow, str(file))
        found: dict[str, Any] = yaml.safe_load(file.read_text())
        return found


class Tasks:
    """Writes a run's tasks."""

    def __init__(self, server: Server, run_id: str) -> None:
        self._server = server
        self._run_id = run_id

    def add(self, name: str, kind: str, parent: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Writes one task, by default a successful one."""
        path = f"{parent['scope_path']}.{name}" if parent else name
        body = {"run_id": self._run_id, "name": name, "display_name": name, "type": kind, "scope_path": path}
        above = {"parent_task_id": parent["task_id"]} if parent else {}
        return self._server.post(f"runs/{self._run_id}/tasks", {**body, **above, "state": "SUCCEEDED", **fields})

    def output(self, task: dict[str, Any], key: str, **artifact: Any) -> dict[str, Any]:
        """Writes an output artifact of a task."""
        body = {
            "artifact": {"namespace": "kubeflow", **artifact},
            "run_id": self._run_id,
            "task_id": task["task_id"],
            "producer_key": key,
        }
        return self._server.post("artifacts", body)
