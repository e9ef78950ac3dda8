"""Read runs through the task API, which replaces ML Metadata in Kubeflow's coming release."""

from __future__ import annotations

import pytest

from apps.runs.entities import State
from tests.kubeflow_contract import flow
from tests.kubeflow_contract.flow import Tasks

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MANY = 230


@pytest.fixture(autouse=True)
def _has_tasks(server, runs):
    """Skips servers without this API."""
    if server.ask("GET", f"runs/{runs[2][0]['run_id']}/tasks").status_code in {404, 501}:
        pytest.skip("this server has no task API")


def _run(server):
    return server.start(server.fresh("flow"), pipeline_spec=flow.spec(), runtime_config={"parameters": {"n": 3}})


def _by_name(details):
    return {step.task_name: step for step in details.steps}


def test_a_run_that_was_just_made_has_no_tasks_yet(server, gateway):
    run_id = _run(server)["run_id"]
    assert server.get(f"runs/{run_id}", view="FULL").keys().isdisjoint({"tasks", "task_count"})
    details = gateway.run_details(run_id)
    assert details.notice == ""
    assert {step.state for step in details.steps} == {State.PENDING}


def test_a_run_that_ended_without_a_task_is_told_as_such(server, gateway):
    run_id = _run(server)["run_id"]
    server.ended(f"runs/{run_id}", "Failed")
    details = gateway.run_details(run_id)
    assert "lineage" not in details.notice
    assert {step.state for step in details.steps} == {State.SKIPPED}


@pytest.fixture(scope="module")
def written(server, runs, request):
    """Writes a run with all tasks, as Kubeflow does."""
    if server.ask("GET", f"runs/{runs[2][0]['run_id']}/tasks").status_code in {404, 501}:
        pytest.skip("this server has no task API")
    server.begin(f"{request.node.path.stem}::written")
    run_id = _run(server)["run_id"]
    tasks = Tasks(server, run_id)
    root = tasks.add("root", "ROOT", state="RUNNING")
    exit_handler = tasks.add("exit-handler-1", "EXIT_HANDLER", root)
    number = {"value": 3, "type": "OUTPUT", "parameter_key": "Output"}
    tasks.add("make-2", "RUNTIME", exit_handler, outputs={"parameters": [number]})
    branches = tasks.add("condition-branches-2", "CONDITION_BRANCH", exit_handler)
    yes = tasks.add("condition-3", "CONDITION", branches)
    judge = tasks.add("judge", "RUNTIME", yes, pods=[{"name": "judge-pod", "uid": "u1", "type": "EXECUTOR"}])
    tasks.add("condition-4", "CONDITION", branches, state="SKIPPED")
    loop = tasks.add("for-loop-6", "LOOP", exit_handler, type_attributes={"iteration_count": "2"})
    for index in range(2):
        attributes = {"iteration_index": str(index)}
        each = tasks.add("make-4", "RUNTIME", loop, type_attributes=attributes)
        tasks.output(each, "model", name="model", type="Model", uri=f"minio://bucket/{index}", metadata={})
    importer = tasks.add("importer", "IMPORTER", exit_handler)
    tasks.output(importer, "artifact", name="data", type="Dataset", uri="minio://bucket/data.csv", metadata={"rows": 3})
    for name, value in (("auc", 0.5), ("loss", 2.0), ("n", 7.0)):
        tasks.output(judge, "metrics", name=name, type="Metric", number_value=value)
    tasks.add("make", "RUNTIME", root, state="FAILED", status_metadata={"message": "no disk"})
    return run_id


def test_every_kind_of_task_is_read(gateway, written):
    details = gateway.run_details(written)
    steps = _by_name(details)
    assert details.notice == ""
    assert {
        "exit-handler-1",
        "make-2",
        "condition-branches-2",
        "condition-3",
        "judge",
        "for-loop-6",
        "importer",
    } <= set(steps)
    assert steps["make-2"].state is State.SUCCEEDED
    assert steps["make-2"].outputs == {"Output": 3}
    assert (steps["make"].state, steps["make"].error) == (State.FAILED, "no disk")
    assert steps["condition-4"].state is State.SKIPPED
    assert steps["judge"].pod_name == "judge-pod"
    assert steps["judge"].parent_id == steps["condition-3"].id
    assert steps["condition-3"].parent_id == steps["condition-branches-2"].id


def test_an_iteration_is_a_step_of_its_own(gateway, written):
    details = gateway.run_details(written)
    each = [step for step in details.steps if step.task_name == "make-4"]
    assert len(each) == 2
    assert sorted(artifact.uri for step in each for artifact in step.artifacts) == [
        "minio://bucket/0",
        "minio://bucket/1",
    ]


def test_metrics_of_one_output_are_one_artifact(gateway, written):
    judge = _by_name(gateway.run_details(written))["judge"]
    (metrics,) = [artifact for artifact in judge.artifacts if artifact.direction == "output"]
    assert (metrics.name, metrics.type) == ("metrics", "system.Metrics")
    assert metrics.metadata == {"auc": 0.5, "loss": 2, "n": 7}


def test_an_importer_has_its_artifact(gateway, written):
    importer = _by_name(gateway.run_details(written))["importer"]
    (data,) = importer.artifacts
    assert (data.uri, data.type, data.metadata) == ("minio://bucket/data.csv", "system.Dataset", {"rows": 3})


def test_many_tasks_are_read_in_pages(server, gateway):
    run_id = _run(server)["run_id"]
    tasks = Tasks(server, run_id)
    root = tasks.add("root", "ROOT", state="RUNNING")
    exit_handler = tasks.add("exit-handler-1", "EXIT_HANDLER", root)
    loop = tasks.add("for-loop-6", "LOOP", exit_handler, type_attributes={"iteration_count": str(MANY)})
    for index in range(MANY):
        tasks.add("make-4", "RUNTIME", loop, type_attributes={"iteration_index": str(index)})
    first = server.get(f"runs/{run_id}/tasks", page_size=200)
    assert (len(first["tasks"]), first["total_size"]) == (200, MANY + 3)
    rest = server.get(f"runs/{run_id}/tasks", page_size=200, page_token=first["next_page_token"])
    assert len(rest["tasks"]) == MANY + 3 - 200
    details = gateway.run_details(run_id)
    assert sum(step.task_name == "make-4" for step in details.steps) == MANY
