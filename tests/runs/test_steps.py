"""A run's steps, read from lineage and the spec, or from the API if lineage is unavailable."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from apps.runs import exceptions
from apps.runs.entities import State, StepKind
from apps.runs.gateway import workflow_steps
from tests.runs.kubeflow import run_row


def steps_of(gateway, run_id="r1"):
    return {step.id: step for step in gateway.run_details(run_id).steps}


def test_step_ids_are_paths(gateway):
    assert set(steps_of(gateway)) == {
        "read-data", "train", "evaluate", "labels", "for-loop-1", "for-loop-1.0", "for-loop-1.0.score",
        "for-loop-1.1", "for-loop-1.1.score", "condition-1", "condition-1.deploy",
    }  # fmt: skip


def test_parents_come_before_children(gateway):
    seen: set[str] = set()
    for step in gateway.run_details("r1").steps:
        assert step.parent_id is None or step.parent_id in seen
        seen.add(step.id)


def test_frames_derive_their_state_from_their_steps(gateway):
    steps = steps_of(gateway)
    assert steps["for-loop-1"].state is State.SUCCEEDED
    assert steps["for-loop-1"].kind is StepKind.LOOP
    assert steps["for-loop-1.1"].kind is StepKind.ITERATION
    assert steps["for-loop-1.1.score"].state is State.CACHED
    assert steps["condition-1"].state is State.SKIPPED
    assert steps["condition-1.deploy"].state is State.SKIPPED


def test_inputs_outputs_and_artifacts_are_read(gateway):
    steps = steps_of(gateway)
    assert steps["read-data"].outputs == {"rows": 244}
    assert steps["train"].inputs == {"rounds": 5, "list": [1, 2]}
    (read,) = steps["train"].artifacts
    (made,) = steps["read-data"].artifacts
    assert (read.id, read.direction, made.direction) == (made.id, "input", "output")
    assert made.metadata == {"format": "csv"}
    assert made.type == "system.Dataset"
    classes = next(item for item in steps["evaluate"].artifacts if item.name == "classes")
    assert classes.metadata["confusionMatrix"]["rows"][0] == {"row": [30, 10]}


def test_retried_task_shows_its_newest_execution(gateway, kubeflow):
    kubeflow.add_execution(50, "FAILED", task_name="train", parent_dag_id=1)
    assert steps_of(gateway)["train"].state is State.FAILED


def test_steps_that_never_started_come_from_the_spec(gateway, kubeflow):
    kubeflow.runs.append(run_row("r9", state="FAILED", error={"message": 'step "train" failed: no memory'}))
    kubeflow.executions = [row for row in kubeflow.executions if row.id in {1, 2}]
    kubeflow.add_execution(3, "FAILED", task_name="train", parent_dag_id=1)
    steps = steps_of(gateway, "r9")
    assert steps["evaluate"].state is State.SKIPPED
    assert "no memory" in steps["train"].error


def test_unstarted_steps_of_a_running_run_are_pending(gateway, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    kubeflow.executions = [row for row in kubeflow.executions if row.id in {1, 2}]
    details = gateway.run_details("r9")
    assert details.run.finished_at is None
    assert details.step("train").state is State.PENDING
    assert details.step("for-loop-1").state is State.PENDING


def test_running_step_of_a_cancelled_run_is_cancelled(gateway, kubeflow):
    kubeflow.runs.append(run_row("r9", state="CANCELED"))
    kubeflow.add_execution(50, "RUNNING", task_name="train", parent_dag_id=1)
    assert steps_of(gateway, "r9")["train"].state is State.CANCELLED


def test_states_come_from_the_api_with_a_notice_without_lineage(gateway, kubeflow):
    kubeflow.lineage_status = 503
    task = {"display_name": "train", "state": "FAILED", "start_time": "2026-09-21T12:00:05Z"}
    kubeflow.runs.append(run_row("r9", state="FAILED", run_details={"task_details": [task]}))
    details = gateway.run_details("r9")
    assert details.step("train").state is State.FAILED
    assert "lineage" in details.notice
    assert "503" in details.notice


def test_all_pages_of_executions_are_read(gateway, kubeflow):
    for number in range(100, 360):
        kubeflow.add_execution(number, task_name=f"extra-{number}", parent_dag_id=1)
    assert sum(step.task_name.startswith("extra-") for step in steps_of(gateway).values()) == 260


def test_finished_run_is_cached(gateway, kubeflow):
    gateway.run_details("r1")
    kubeflow.requests.clear()
    gateway.run_details("r1")
    assert [path for _, path in kubeflow.requests] == ["/apis/v2beta1/runs/r1"]


def test_damaged_row_has_unknown_state(gateway, kubeflow):
    kubeflow.runs.append({"run_id": "r9", "experiment_id": "e1", "error": {"message": "damaged"}})
    details = gateway.run_details("r9")
    assert details.run.state is State.UNKNOWN
    assert details.run.created_at is None


def test_run_has_its_pipelines_display_name(gateway, kubeflow):
    kubeflow.pipelines[0]["display_name"] = "Tips of the week"
    assert gateway.run_details("r1").run.pipeline_name == "Tips of the week"


@pytest.mark.parametrize("path", ["/login", ""])
def test_login_page_raises_not_signed_in(gateway, kubeflow, path):
    kubeflow.page = f"<!DOCTYPE html><html><body><form action='{path}'></form></body></html>"
    with pytest.raises(exceptions.NotSignedInError, match="sign-in"):
        gateway.run_details("r1")


NODES = {
    "wf": {"displayName": "wf", "type": "DAG", "phase": "Failed", "children": ["wf-1"]},
    "wf-1": {
        "displayName": "read", "type": "Pod", "phase": "Succeeded", "boundaryID": "wf", "templateName": "read",
        "startedAt": "2026-09-21T12:00:00Z", "finishedAt": "2026-09-21T12:00:04Z", "children": ["wf-2"],
        "outputs": {
            "parameters": [{"name": "read-rows", "value": "3"}],
            "artifacts": [{"name": "read-table", "s3": {"key": "a/table.tgz"}}],
        },
    },
    "wf-2": {
        "displayName": "train", "type": "Pod", "phase": "Error", "message": "OOMKilled", "boundaryID": "wf",
        "startedAt": "2026-09-21T12:00:05Z",
    },
}  # fmt: skip


@pytest.mark.parametrize("is_packed", [False, True])
def test_kfp_1_workflow_is_read(is_packed):
    packed = base64.b64encode(gzip.compress(json.dumps(NODES).encode())).decode()
    status = {"compressedNodes": packed} if is_packed else {"nodes": NODES}
    status["artifactRepositoryRef"] = {"artifactRepository": {"s3": {"bucket": "mlpipeline"}}}
    read, train = workflow_steps.build_steps({"metadata": {"name": "wf"}, "status": status}, {})
    assert read.outputs == {"rows": "3"}
    assert read.artifacts[0].uri == "minio://mlpipeline/a/table.tgz"
    assert read.duration.total_seconds() == 4
    assert (train.state, train.error, train.depends_on) == (State.FAILED, "OOMKilled", ("read",))


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED"])
def test_steps_of_a_run_missing_in_lineage_are_unknown(gateway, kubeflow, state):
    task = {"display_name": "train", "state": state, "start_time": "2026-09-21T12:00:05Z"}
    kubeflow.runs.append(run_row("r9", state=state, run_details={"task_details": [task]}))
    kubeflow.executions = []
    details = gateway.run_details("r9")
    assert details.step("train").state is State.by_api_value(state)
    others = {step.state for step in details.steps if step.task_name != "train"}
    assert others - {State.by_api_value(state)} == {State.UNKNOWN}
    assert "does not know this run" in details.notice


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
def test_empty_loop_succeeded_and_its_steps_are_skipped(gateway, kubeflow, state):
    kubeflow.runs.append(run_row("r9", state=state, finished_at="1970-01-01T00:00:00Z"))
    kubeflow.executions = [row for row in kubeflow.executions if row.id in {1, 2}]
    kubeflow.add_execution(60, "RUNNING", "DAG", task_name="for-loop-1", parent_dag_id=1, iteration_count=0)
    steps = steps_of(gateway, "r9")
    assert steps["for-loop-1"].state is State.SUCCEEDED
    assert {step.state for key, step in steps.items() if key.startswith("for-loop-1.")} == {State.SKIPPED}


def test_run_error_is_assigned_only_to_the_named_step(gateway, kubeflow):
    kubeflow.runs.append(run_row("r9", state="FAILED", error={"message": "step retrain failed: no memory"}))
    kubeflow.executions = [row for row in kubeflow.executions if row.id == 1]
    for number, name in enumerate(("train", "retrain", "train-2"), 60):
        kubeflow.add_execution(number, "FAILED", task_name=name, parent_dag_id=1)
    steps = steps_of(gateway, "r9")
    assert {name: bool(steps[name].error) for name in ("train", "retrain", "train-2")} == {
        "train": False, "retrain": True, "train-2": False,
    }  # fmt: skip


def test_integral_metadata_values_are_ints(gateway, kubeflow):
    kubeflow.add_artifact(900, 2, "counts", "system.Metrics", "gs://m", rows=244.0, share=0.5)
    counts = next(artifact for artifact in steps_of(gateway)["read-data"].artifacts if artifact.name == "counts")
    assert repr(counts.metadata["rows"]) == "244"
    assert counts.metadata["share"] == 0.5
