"""A fake Kubeflow HTTP API with fixed rows, real sockets, and faults that a real server cannot simulate.

test_localkfp.py tests against a real server.
"""

from __future__ import annotations

from typing import Any

from mlmd import messages

from tests.runs.specs import SPEC

START_MS = 1_790_000_000_000
_STATES = {name: number for number, name in enumerate(messages.EXECUTION_STATES)}


class Kubeflow:
    """The data of the fake Kubeflow. Tests change it before they send requests.

    Attributes:
        requests: (method, path) of every request.
        objects: bytes by `bucket/key`.
        page: the response to every request if set, such as a sign-in page.
        version: the server's version in the v1beta1 API's healthz; "" for a server without one.
        refusal: the message with which it refuses to start a run; "" if it starts the run.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.headers: list[Any] = []
        self.pipelines = [{"pipeline_id": "p1", "display_name": "tips", "created_at": "2026-09-21T10:00:00Z"}]
        self.versions = [
            {
                "pipeline_id": "p1",
                "pipeline_version_id": "v1",
                "display_name": "tips v1",
                "created_at": "2026-09-21T10:00:00Z",
                "pipeline_spec": SPEC,
            }
        ]
        self.experiments = [{"experiment_id": "e1", "display_name": "Default", "created_at": "2026-09-21T09:00:00Z"}]
        self.runs: list[dict[str, Any]] = [run_row("r1")]
        self.executions: list[Any] = []
        self.events: list[Any] = []
        self.artifacts: list[Any] = []
        self.objects: dict[str, bytes] = {}
        self.logs: dict[str, str] = {}
        self.page = ""
        self.lineage_status = 200
        self.posted: list[dict[str, Any]] = []
        self.recurring: list[dict[str, Any]] = []
        self.tasks: dict[str, Any] = {}
        self.tasks_with_run = 10_000
        self.refuses_view = False
        self.version = ""
        self.refusal = ""
        self.url = ""

    def add_execution(self, execution_id: int, state: str = "COMPLETE", kind: str = "Container", **more: Any) -> None:
        """Adds an execution; `more` are its custom properties."""
        execution = messages.message_class("Execution")(
            id=execution_id,
            type=f"system.{kind}Execution",
            last_known_state=_STATES[state],
            create_time_since_epoch=START_MS,
            last_update_time_since_epoch=START_MS + 4200,
        )
        for name, value in more.items():
            _set(execution.custom_properties[name], value)
        self.executions.append(execution)

    def add_artifact(
        self, artifact_id: int, execution_id: int, key: str, kind: str, uri: str, *, is_input: bool = False, **more: Any
    ) -> None:
        """Adds an artifact with metadata `more`, and its event."""
        if all(row.id != artifact_id for row in self.artifacts):
            artifact = messages.message_class("Artifact")(id=artifact_id, uri=uri, type=kind)
            for name, value in {"display_name": key, **more}.items():
                _set(artifact.custom_properties[name], value)
            self.artifacts.append(artifact)
        event = messages.message_class("Event")(
            artifact_id=artifact_id, execution_id=execution_id, type=3 if is_input else 4
        )
        event.path.steps.add(key=key)
        self.events.append(event)


def run_row(run_id: str, **changes: Any) -> dict[str, Any]:
    """Returns a run as the REST API returns it."""
    return {
        "run_id": run_id,
        "experiment_id": "e1",
        "display_name": f"run {run_id}",
        "state": "SUCCEEDED",
        "storage_state": "AVAILABLE",
        "created_at": "2026-09-21T12:00:00Z",
        "scheduled_at": "1970-01-01T00:00:00Z",
        "finished_at": "2026-09-21T12:01:12Z",
        "pipeline_version_reference": {"pipeline_id": "p1", "pipeline_version_id": "v1"},
        "runtime_config": {"parameters": {"label": "tip", "rounds": 5}},
        **changes,
    }


def _set(value: Any, plain: Any) -> None:
    if isinstance(plain, bool | int):
        value.int_value = int(plain)
    elif isinstance(plain, float):
        value.double_value = plain
    elif isinstance(plain, str):
        value.string_value = plain
    elif isinstance(plain, list):
        value.struct_value.update({"list": plain})
    else:
        value.struct_value.update(plain)


def with_finished_run(kubeflow: Kubeflow) -> Kubeflow:
    """Adds the lineage of run r1: every task of the spec, with artifacts of the types that the portal draws."""
    kubeflow.add_execution(1, "RUNNING", "DAG", task_name="")
    kubeflow.add_execution(2, task_name="read-data", parent_dag_id=1, pod_name="pod-2", outputs={"rows": 244})
    kubeflow.add_execution(3, task_name="train", parent_dag_id=1, inputs={"rounds": 5, "list": [1, 2]})
    kubeflow.add_execution(4, task_name="evaluate", parent_dag_id=1)
    kubeflow.add_execution(5, kind="Importer", task_name="labels", parent_dag_id=1)
    kubeflow.add_execution(6, "RUNNING", "DAG", task_name="for-loop-1", parent_dag_id=1, iteration_count=2)
    for index in range(2):
        kubeflow.add_execution(
            7 + index, "RUNNING", "DAG", task_name="for-loop-1", parent_dag_id=6, iteration_index=index
        )
        kubeflow.add_execution(9 + index, "CACHED", task_name="score", parent_dag_id=7 + index)
    kubeflow.add_execution(11, "CANCELED", "DAG", task_name="condition-1", parent_dag_id=1)
    root = "minio://mlpipeline/v2/artifacts/tips/r1"
    kubeflow.add_artifact(1, 2, "data", "system.Dataset", f"{root}/read-data/x/data.csv", format="csv")
    kubeflow.add_artifact(1, 3, "data", "system.Dataset", "", is_input=True)
    kubeflow.add_artifact(2, 4, "metrics", "system.Metrics", f"{root}/evaluate/x/metrics", accuracy=0.91, auc=0.87)
    kubeflow.add_artifact(
        3,
        4,
        "classes",
        "system.ClassificationMetrics",
        "",
        confusionMatrix={
            "struct": {
                "annotationSpecs": [{"displayName": "low"}, {"displayName": "high"}],
                "rows": [{"row": [30, 10]}, {"row": [5, 55]}],
            }
        },
        confidenceMetrics=[
            {"confidenceThreshold": 2, "falsePositiveRate": 0, "recall": 0},
            {"confidenceThreshold": 0.5, "falsePositiveRate": 0.25, "recall": 0.75},
            {"confidenceThreshold": 0, "falsePositiveRate": 1, "recall": 1},
        ],
    )
    kubeflow.add_artifact(4, 4, "report", "system.HTML", f"{root}/evaluate/x/report")
    kubeflow.add_artifact(5, 4, "notes", "system.Markdown", f"{root}/evaluate/x/notes")
    kubeflow.add_artifact(6, 4, "picture", "system.Artifact", f"{root}/evaluate/x/picture.png")
    prefix = "mlpipeline/v2/artifacts/tips/r1"
    kubeflow.objects = {
        f"{prefix}/read-data/x/data.csv": b"total_bill,tip,day\n16.99,1.01,Sun\n10.34,1.66,Sat\n",
        f"{prefix}/evaluate/x/report": b"<!doctype html><h1>Report</h1><script>document.title = 1</script>",
        f"{prefix}/evaluate/x/notes": b"# Notes\n\n<script>alert(1)</script> **bold**\n",
        f"{prefix}/evaluate/x/picture.png": b"\x89PNG\r\n\x1a\n" + bytes(40),
    }
    kubeflow.logs = {"pod-2": "reading 244 rows\ndone\n"}
    return kubeflow
