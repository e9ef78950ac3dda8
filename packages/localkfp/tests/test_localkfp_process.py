"""Start, stop and restart the server as a process."""

import io
import itertools
import os
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import requests

from packages.localkfp.tests.conftest import API
from packages.localkfp.tests.lineage_reader import read_artifact, read_log, read_steps
from tests.servers import ROOT, localkfp_process, localkfp_server
from tests.waiting import wait_until

TIMEOUT_S = 120
# The command that kfp compiles for a component, without its shell; see step_commands.py.
_COMMAND = ["sh", "-c", "true", "sh", "-ec", "kfp.dsl.executor_main ephemeral_component.py"]
_SLEEPER = "import os, time\ndef work(path: str):\n    open(path, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"


def sleeper(path):
    """Returns a run whose only step writes its process id to `path` and then sleeps."""
    container = {"image": "python:3.11", "command": [*_COMMAND, _SLEEPER]}
    container["args"] = ["--executor_input", "{{$}}", "--function_to_execute", "work"]
    inputs = {"parameters": {"path": {"runtimeValue": {"constant": str(path)}}}}
    task = {"componentRef": {"name": "comp-work"}, "taskInfo": {"name": "work"}, "inputs": inputs}
    declared = {"parameters": {"path": {"parameterType": "STRING"}}}
    return {
        "display_name": "sleeper",
        "pipeline_spec": {
            "pipelineInfo": {"name": "sleeper"},
            "schemaVersion": "2.1.0",
            "sdkVersion": "kfp-2.17.3",
            "root": {"dag": {"tasks": {"work": task}}},
            "components": {"comp-work": {"executorLabel": "exec-work", "inputDefinitions": declared}},
            "deploymentSpec": {"executors": {"exec-work": {"container": container}}},
        },
    }


def started(host, path):
    """Starts a sleeper and returns its run and, once the step runs, its process id."""
    answer = requests.post(f"{host}{API}/runs", json=sleeper(path), timeout=30)
    run_id = answer.json()["run_id"]

    def pid():
        run = requests.get(f"{host}{API}/runs/{run_id}", timeout=30).json()
        assert run["state"] in {"PENDING", "RUNNING"}, run
        return path.read_text() if path.exists() else ""

    return run_id, int(wait_until(pid))


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def launch(data_dir, *more):
    call = [sys.executable, "-m", "localkfp", "--port", "0", "--data-dir", data_dir, *more]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_the_server_cleanly(tmp_path, number):
    with localkfp_process(tmp_path) as (host, process):
        assert requests.get(f"{host}{API}/healthz", timeout=30).ok
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        process.reader.join()
    assert process.said().splitlines() == [f"localkfp serves {host}"]


def test_port_or_directory_in_use_is_reported_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = launch(tmp_path, "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"localkfp: cannot listen on 127.0.0.1 port {port}")
    with localkfp_server(tmp_path):
        done = launch(tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"localkfp: another localkfp already uses {tmp_path}\n"
    (tmp_path / "file").touch()
    done = launch(tmp_path / "file")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_missing_steps_environment_is_reported(tmp_path):
    done = launch(tmp_path, "--steps-python", tmp_path / "python")
    assert done.returncode == 2
    assert "build that environment first" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_server_ends_its_runs_and_marks_them_failed_on_restart(tmp_path, number):
    with localkfp_process(tmp_path / "data") as (host, process):
        run_id, pid = started(host, tmp_path / "pid")
        process.send_signal(number)
        process.wait(timeout=30)
        wait_until(lambda: not is_alive(pid))
    with localkfp_server(tmp_path / "data") as host:
        run = requests.get(f"{host}{API}/runs/{run_id}", timeout=30).json()
        assert run["state"] == "FAILED"
        assert run["error"]["message"] == "the server was interrupted"
        assert run["finished_at"] >= run["scheduled_at"] > "1970-01-02"
        work = next(step for step in read_steps(host, run_id) if step["task_name"] == "work")
        assert work["state"] == "FAILED"


@pytest.mark.slow
def test_run_whose_process_dies_fails(tmp_path):
    with localkfp_server(tmp_path / "data") as host:
        run_id, pid = started(host, tmp_path / "pid")
        runner = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(runner, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid))
        run = wait_until(lambda: _ended(host, run_id))
        assert run["error"]["message"] == "the run's process ended unexpectedly (exit code -9)"


@pytest.mark.slow
def test_samples_run_only_at_the_first_start(tmp_path):
    with localkfp_server(tmp_path, samples=True) as host:
        found = requests.get(f"{host}{API}/runs?sort_by=created_at", timeout=30).json()["runs"]
        tips, flow = (wait_until(lambda run=run: _ended(host, run["run_id"])) for run in found)
        assert [tips["state"], flow["state"]] == ["SUCCEEDED", "SUCCEEDED"], (tips, flow)
        check_tips(host, tips["run_id"])
        check_flow(host, flow["run_id"])
    with localkfp_server(tmp_path, samples=True) as host:
        assert requests.get(f"{host}{API}/runs", timeout=30).json()["total_size"] == 2
        pipelines = requests.get(f"{host}{API}/pipelines?sort_by=name", timeout=30).json()["pipelines"]
        assert [item["name"] for item in pipelines] == ["control-flow", "tip-prediction"]


def check_tips(host, run_id):
    steps = {step["task_name"]: step for step in read_steps(host, run_id)}
    made = {key: row for way, key, row in steps["evaluator"]["artifacts"] if way == "out"}
    lines = read_artifact(host, made["predictions"].uri).text.splitlines()
    assert len(lines) == 245
    assert lines[0].startswith("target,predicted,score,total_bill")
    pairs = [tuple(line.split(",")[:2]) for line in lines[1:]]
    for row in read_artifact(host, made["confusion"].uri).text.split():
        target, predicted, count = row.split(",")
        assert pairs.count((target, predicted)) == int(count)
    # The area under the file's curve (trapezoidal rule) equals the metric in the metadata.
    points = [tuple(map(float, line.split(","))) for line in read_artifact(host, made["roc"].uri).text.split()[1:]]
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))
    metrics = made["metrics"].custom_properties
    assert metrics["auc"].double_value == pytest.approx(area)
    assert 0.6 < area < 0.75
    right = sum(target == predicted for target, predicted in pairs)
    assert metrics["accuracy"].double_value == pytest.approx(right / 244)
    curves = made["curves"].custom_properties
    assert len(curves["confidenceMetrics"].struct_value["list"]) == len(points)
    assert set(curves["confusionMatrix"].struct_value["struct"]) == {"annotationSpecs", "rows"}
    assert "<h1>" in read_artifact(host, made["report"].uri).text
    assert read_artifact(host, made["summary"].uri).text.startswith("# Evaluation")
    ((_, _, statistics),) = [row for row in steps["statistics-gen"]["artifacts"] if row[0] == "out"]
    with tarfile.open(fileobj=io.BytesIO(read_artifact(host, statistics.uri).content), mode="r:gz") as archive:
        files = [name for name in archive.getnames() if name.endswith(".pb")]
    assert sorted(files) == [f"Split-{split}/FeatureStats.pb" for split in ("eval", "train")]
    ((_, _, schema),) = [row for row in steps["schema-gen"]["artifacts"] if row[0] == "out"]
    assert 'name: "total_bill"' in read_artifact(host, schema.uri).text
    assert "244 bills" in read_log(host, run_id, steps["example-gen"])


def check_flow(host, run_id):
    steps = read_steps(host, run_id)
    states = {step["task_name"]: step["state"] for step in steps}
    assert states["condition-2"] == "COMPLETE"
    assert states["condition-3"] == "CANCELED"
    importer = next(step for step in steps if step["kind"] == "ImporterExecution")
    ((_, key, colours),) = importer["artifacts"]
    assert (key, colours.uri) == ("artifact", "minio://mlpipeline/v2/artifacts/samples/colours.csv")
    total = next(step for step in steps if step["task_name"] == "total")
    assert total["inputs"]["squares"] == [4, 9, 25]
    assert [key for way, key, _ in total["artifacts"] if way == "in"] == ["parts"] * 3
    nested = next(step for step in steps if step["task_name"] == "describe-colours")
    assert nested["outputs"] == {"Output": "The brightest colour: sky"}
    assert [key for way, key, _ in nested["artifacts"] if way == "in"] == ["colours"]


def _ended(host, run_id):
    run = requests.get(f"{host}{API}/runs/{run_id}", timeout=30).json()
    return run if run["state"] in {"SUCCEEDED", "FAILED", "CANCELED"} else None
