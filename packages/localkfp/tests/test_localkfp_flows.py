"""Run pipelines with control flow, pipeline roots, retries and deletions."""

# A component is one self-contained function, and its defaults are those of its pipeline.
# ruff: noqa: B006, PTH123

import warnings

import pytest
import requests

from packages.localkfp.tests.lineage_reader import read_artifact, read_log, read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import dsl
    from running import PYTHON, by_task, check, finished, is_alive, read_text, three_steps, waiting

from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


def test_loops_conditions_and_exit_handlers_are_recorded_as_in_kubeflow(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def clean_up(status: dsl.PipelineTaskFinalStatus):
        print("ended", status.state)

    @dsl.pipeline(name="flows")
    def flows(items: list[int] = [1, 2, 3]):
        with dsl.ExitHandler(clean_up()), dsl.ParallelFor(items) as item:
            with dsl.If(item == 2):
                check(total=item, wanted=2)
            with dsl.ParallelFor([0]) as inner:
                check(total=inner, wanted=0)

    made = client.create_run_from_pipeline_func(flows)
    run = finished(client, made.run_id)
    assert run.state == "SUCCEEDED", run.error
    steps = read_steps(localkfp, made.run_id)
    kinds = {step["id"]: step for step in steps}
    loop = next(step for step in steps if step.get("iteration_count") == 3)
    turns = [step for step in steps if step.get("parent_dag_id") == loop["id"]]
    assert sorted(turn["iteration_index"] for turn in turns) == [0, 1, 2]
    assert {turn["task_name"] for turn in turns} == {loop["task_name"]}
    for turn in turns:
        inside = [step for step in steps if step.get("parent_dag_id") == turn["id"]]
        condition = next(step for step in inside if step["task_name"].startswith("condition"))
        assert condition["state"] == ("COMPLETE" if turn["iteration_index"] == 1 else "CANCELED")
        (nested,) = [step for step in inside if step.get("iteration_count") == 1]
        assert kinds[nested["id"]]["kind"] == "DAGExecution"
    assert len([step for step in steps if step["task_name"].startswith("check")]) == 4
    ended = next(step for step in steps if step["task_name"] == "clean-up")
    assert "ended COMPLETE" in read_log(localkfp, made.run_id, ended)


def test_retried_run_keeps_its_id(client, localkfp, tmp_path):
    @dsl.component(base_image=PYTHON)
    def needs(path: str):
        with open(path) as file:
            print(file.read())

    @dsl.pipeline(name="needy")
    def needy(path: str):
        needs(path=path)

    made = client.create_run_from_pipeline_func(needy, arguments={"path": str(tmp_path / "later")})
    assert "FileNotFoundError" in finished(client, made.run_id).error.message
    (tmp_path / "later").write_text("here now")
    assert requests.post(f"{localkfp}/apis/v2beta1/runs/{made.run_id}:retry", timeout=30).ok
    run = finished(client, made.run_id)
    assert (run.state, run.error) == ("SUCCEEDED", None)
    attempts = [step for step in read_steps(localkfp, made.run_id) if step["task_name"] == "needs"]
    assert [step["state"] for step in attempts] == ["FAILED", "COMPLETE"]
    assert "here now" in read_log(localkfp, made.run_id, attempts[-1])


def test_pipeline_root_in_another_bucket_is_used(client, localkfp):
    made = client.create_run_from_pipeline_func(three_steps, pipeline_root="minio://mine/root/")
    assert finished(client, made.run_id).state == "SUCCEEDED"
    ((_, _, dataset),) = by_task(read_steps(localkfp, made.run_id))["make"]["artifacts"]
    assert dataset.uri.startswith(f"minio://mine/root/three-steps/{made.run_id}/make/")
    assert read_artifact(localkfp, dataset.uri).status_code == 200


def test_deleting_a_running_run_ends_its_processes(client, localkfp, tmp_path):
    made = client.create_run_from_pipeline_func(waiting, arguments={"path": str(tmp_path / "x")})
    pid = int(wait_until(lambda: read_text(tmp_path / "x.pid")))
    client.delete_run(made.run_id)
    wait_until(lambda: not is_alive(pid))
    assert requests.get(f"{localkfp}/apis/v2beta1/runs/{made.run_id}", timeout=30).status_code == 404
