"""Run pipelines with kfp.Client and the kfp command."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from packages.localkfp.tests.lineage_reader import read_artifact, read_log, read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import compiler, dsl
    from running import TIMEOUT_S, by_task, check, finished, is_alive, read_text, three_steps, waiting

from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture
def package(tmp_path):
    path = str(tmp_path / "three.yaml")
    compiler.Compiler().compile(three_steps, path)
    return path


def test_a_three_step_pipeline_runs_with_kfp_client(client, localkfp, package):
    pipeline = client.upload_pipeline(package, pipeline_name="three", description="d")
    version = client.upload_pipeline_version(package, "second", pipeline_id=pipeline.pipeline_id)
    assert client.get_pipeline_id("three") == pipeline.pipeline_id
    experiment = client.create_experiment("three-experiment")
    made = client.run_pipeline(
        experiment.experiment_id,
        "my run",
        pipeline_id=pipeline.pipeline_id,
        version_id=version.pipeline_version_id,
        params={"count": 4},
    )
    run = finished(client, made.run_id)
    assert run.state == "SUCCEEDED"
    assert run.error is None
    assert run.pipeline_spec is None
    assert run.finished_at >= run.created_at
    assert {detail.display_name for detail in run.run_details.task_details} >= {"make", "add", "check"}
    assert all(detail.inputs is None for detail in run.run_details.task_details)

    steps = by_task(read_steps(localkfp, made.run_id))
    root, first, second, third = steps[""], steps["make"], steps["add"], steps["check"]
    assert [root["kind"], root["state"]] == ["DAGExecution", "RUNNING"]
    assert root["inputs"] == {"wanted": 6, "count": 4, "text": "python3 "}
    assert {step["parent_dag_id"] for step in (first, second, third)} == {root["id"]}
    assert {step["state"] for step in (first, second, third)} == {"COMPLETE"}
    # A value is not a command, so its "python3" stays.
    assert first["outputs"] == {"Output": "python3 python3 "}
    assert second["outputs"] == {"Output": 6}
    ((_, key, dataset),) = first["artifacts"]
    assert key == "out"
    prefix = f"minio://mlpipeline/v2/artifacts/three-steps/{made.run_id}/make/"
    assert dataset.uri.startswith(prefix)
    assert dataset.uri.endswith("/out.csv")
    assert dataset.custom_properties["rows"].double_value == 4
    assert read_artifact(localkfp, dataset.uri).text == "n\n0\n1\n2\n3\n"
    assert {(way, name) for way, name, _ in second["artifacts"]} == {("in", "rows"), ("out", "scores")}
    metrics = next(artifact for way, _, artifact in second["artifacts"] if way == "out")
    assert metrics.type == "system.Metrics"
    assert metrics.custom_properties["total"].double_value == 6
    assert "secrets: []" in read_log(localkfp, made.run_id, first)
    assert "adding python3 python3" in read_log(localkfp, made.run_id, second)


def test_run_error_names_the_failed_step_and_its_last_line(client, localkfp):
    made = client.create_run_from_pipeline_func(three_steps, arguments={"wanted": 7}, run_name="fails")
    run = finished(client, made.run_id)
    assert run.state == "FAILED"
    assert run.error.message == "step check failed: ValueError: 6 is not 7"
    steps = by_task(read_steps(localkfp, made.run_id))
    assert (steps["add"]["state"], steps["check"]["state"]) == ("COMPLETE", "FAILED")
    assert "Traceback" in read_log(localkfp, made.run_id, steps["check"])


def test_steps_after_a_failed_step_have_no_execution(client, localkfp):
    made = client.create_run_from_pipeline_func(three_steps, arguments={"count": -1, "wanted": 0, "text": ""})
    assert finished(client, made.run_id).state == "SUCCEEDED"

    @dsl.pipeline(name="stops")
    def stops():
        first = check(total=1, wanted=2)
        check(total=1, wanted=1).after(first)

    made = client.create_run_from_pipeline_func(stops)
    assert finished(client, made.run_id).state == "FAILED"
    assert [step["task_name"] for step in read_steps(localkfp, made.run_id)] == ["", "check"]


def test_running_step_shows_its_log_and_ends_when_its_run_is_terminated(client, localkfp, tmp_path):
    flag = tmp_path / "flag"
    made = client.create_run_from_pipeline_func(waiting, arguments={"path": str(flag)})
    pid = int(wait_until(lambda: read_text(tmp_path / "flag.pid")))
    run = client.get_run(made.run_id)
    assert (run.state, run.finished_at.year) == ("RUNNING", 1970)
    step = by_task(read_steps(localkfp, made.run_id))["wait-for"]
    assert step["state"] == "RUNNING"
    wait_until(lambda: "waiting" in read_log(localkfp, made.run_id, step))
    client.terminate_run(made.run_id)
    # kfp.Client's own wait does not know CANCELED and would continue.
    wait_until(lambda: client.get_run(made.run_id).state == "CANCELED")
    wait_until(lambda: not is_alive(pid))
    assert by_task(read_steps(localkfp, made.run_id))["wait-for"]["state"] == "FAILED"


def test_two_runs_run_at_once_and_the_third_waits(client, tmp_path):
    flags = [tmp_path / name for name in "abc"]
    made = [client.create_run_from_pipeline_func(waiting, arguments={"path": str(flag)}) for flag in flags]
    wait_until(lambda: read_text(tmp_path / "a.pid") and read_text(tmp_path / "b.pid"))
    assert client.get_run(made[2].run_id).state == "PENDING"
    flags[1].touch()
    wait_until(lambda: read_text(tmp_path / "c.pid"))
    assert client.get_run(made[0].run_id).state == "RUNNING"
    flags[0].touch()
    flags[2].touch()
    assert [finished(client, run.run_id).state for run in made] == ["SUCCEEDED"] * 3


def test_archiving_and_listing_with_kfp_client(client, package):
    made = client.create_run_from_pipeline_package(package, run_name="archived one")
    assert finished(client, made.run_id).state == "SUCCEEDED"
    client.archive_run(made.run_id)
    named = {"predicates": [{"operation": "EQUALS", "key": "name", "string_value": "archived one"}]}
    (found,) = client.list_runs(filter=json.dumps(named)).runs
    assert found.storage_state == "ARCHIVED"
    client.unarchive_run(made.run_id)
    assert client.get_run(made.run_id).storage_state == "AVAILABLE"
    client.delete_run(made.run_id)
    with pytest.raises(Exception, match="404"):
        client.get_run(made.run_id)


def test_kfp_command_uploads_lists_and_runs(client, localkfp, package):
    def command(*words):
        call = [Path(sys.executable).with_name("kfp"), "--endpoint", localkfp, "--output", "json", *words]
        done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("pipeline", "create", "-p", "by-command", package)
    assert "by-command" in command("pipeline", "list")
    words = ["--experiment-name", "Default", "--run-name", "by the command", "--package-file", package]
    command("run", "create", *words, "count=5", "wanted=10")
    named = {"predicates": [{"operation": "EQUALS", "key": "name", "string_value": "by the command"}]}
    (made,) = client.list_runs(filter=json.dumps(named)).runs
    assert finished(client, made.run_id).state == "SUCCEEDED"
    assert "by the command" in command("run", "list")
