"""Start, archive, terminate, retry and delete runs."""

from __future__ import annotations

import pytest

from tests.kubeflow_contract.asking import FAILING, SPEC, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
NO_VERSION = {"pipeline_id": "nothing", "pipeline_version_id": "nothing"}


def test_a_run_is_started_in_the_default_experiment(server):
    made = server.start(server.fresh("run"))
    experiment = server.get(f"experiments/{made['experiment_id']}")
    assert experiment["display_name"] == "Default"
    assert made["state"] == "PENDING"
    assert made["storage_state"] == "AVAILABLE"


def test_a_run_keeps_what_it_was_started_with(server):
    config = {"parameters": {"text": "ä & <b>", "n": 4}, "pipeline_root": "minio://mlpipeline/elsewhere"}
    made = server.start(server.fresh("run"), description="words", runtime_config=config, service_account="robot")
    read = server.get(f"runs/{made['run_id']}")
    assert read["runtime_config"] == config
    assert (read["description"], read["service_account"]) == ("words", "robot")


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": "x"},
        {"display_name": "x", "pipeline_spec": SPEC, "experiment_id": "no-such-experiment"},
        {"display_name": "x", "pipeline_version_reference": NO_VERSION},
        {"display_name": "x", "pipeline_spec": {"nonsense": True}},
        {"display_name": "x", "pipeline_spec": SPEC, "runtime_config": {"parameters": {"nonsense": 1, "text": "x"}}},
        {"display_name": "x", "pipeline_spec": SPEC, "runtime_config": {"parameters": {"n": 1}}},
        {"pipeline_spec": SPEC, "runtime_config": {"parameters": {"text": "x"}}},
    ],
    ids=["no pipeline", "no such experiment", "no such version", "no spec", "unknown parameter", "missing parameter",
         "no name"],
)  # fmt: skip
def test_a_run_that_cannot_be_is_refused(server, body):
    # Kubeflow reports a missing pipeline as an internal error.
    assert refusal(server.ask("POST", "runs", body))[0] in {400, 404, 500}


@pytest.mark.parametrize("body", ["[]", "nonsense", '{"nonsense": 1}', '{"display_name": 3}'], ids=str)
def test_a_body_that_is_no_run_is_refused(server, body):
    assert refusal(server.ask_text("POST", "runs", body)) == (400, 3)


def test_a_run_is_archived_unarchived_and_deleted(server):
    path = f"runs/{server.start(server.fresh('short'))['run_id']}"
    assert server.post(f"{path}:archive") == {}
    assert server.get(path)["storage_state"] == "ARCHIVED"
    assert server.post(f"{path}:unarchive") == {}
    assert server.get(path)["storage_state"] == "AVAILABLE"
    assert server.good(server.ask("DELETE", path)) == {}
    assert refusal(server.ask("GET", path)) == (404, 5)


def test_archiving_twice_is_fine(server):
    path = f"runs/{server.start(server.fresh('twice'))['run_id']}"
    for action in ("archive", "archive", "unarchive", "unarchive"):
        server.post(f"{path}:{action}")
    assert server.get(path)["storage_state"] == "AVAILABLE"


def test_a_run_is_terminated(server):
    path = f"runs/{server.start(server.fresh('ended'))['run_id']}"
    assert server.post(f"{path}:terminate") == {}
    assert server.get(path)["state"] in {"CANCELING", "CANCELED"}


def test_a_failed_run_is_retried(server):
    path = f"runs/{server.start(server.fresh('failed'), pipeline_spec=FAILING)['run_id']}"
    assert server.ended(path, "Failed")["state"] == "FAILED"
    assert server.get(path)["finished_at"] > "1971"
    assert server.post(f"{path}:retry") == {}
    assert server.get(path)["state"] in {"PENDING", "RUNNING", "FAILED"}


def test_a_run_that_succeeded_cannot_be_retried(server):
    path = f"runs/{server.start(server.fresh('fine'))['run_id']}"
    assert server.ended(path, "Succeeded")["state"] == "SUCCEEDED"
    assert refusal(server.ask("POST", f"{path}:retry", {})) == (409, 10)


def test_a_run_that_ended_cannot_be_terminated(server):
    path = f"runs/{server.start(server.fresh('over'))['run_id']}"
    server.ended(path, "Succeeded")
    assert refusal(server.ask("POST", f"{path}:terminate", {})) == (400, 3)


def test_a_run_that_waits_cannot_be_retried(server):
    path = f"runs/{server.start(server.fresh('waiting'))['run_id']}"
    assert refusal(server.ask("POST", f"{path}:retry", {})) == (409, 10)


def test_deleting_a_run_that_is_not_there_is_not_found(server):
    assert refusal(server.ask("DELETE", "runs/00000000-0000-4000-8000-000000000000")) == (404, 5)
