"""Test the gateway and the pages with a real server that runs pipelines."""

from __future__ import annotations

import time

import pytest
from bs4 import BeautifulSoup

from apps.runs.entities import State, StepKind
from apps.runs.gateway import gateway_for_service
from apps.runs.gateway.filters import RunQuestion
from tests.servers import localkfp_server

pytestmark = pytest.mark.slow
_LONGEST_S = 240


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """Starts a localkfp whose samples are running or finished."""
    with localkfp_server(tmp_path_factory.mktemp("localkfp"), samples=True) as address:
        yield address


@pytest.fixture
def gateway(host, settings):
    settings.KFP_HOST = host
    return gateway_for_service()


def finished(gateway, run_id):
    """Waits until a run has ended."""
    deadline = time.monotonic() + _LONGEST_S
    while not (details := gateway.run_details(run_id)).run.state.is_final:
        assert time.monotonic() < deadline, f"{details.run.name} is still {details.run.state}"
        time.sleep(0.5)
    return details


def sample(gateway, text):
    (run,) = gateway.runs(RunQuestion(text=text)).items
    return finished(gateway, run.id)


def test_control_flow_sample_has_all_step_kinds_except_exit_handler(gateway):
    details = sample(gateway, "control-flow")
    assert details.run.state is State.SUCCEEDED
    assert {step.kind for step in details.steps} == set(StepKind) - {StepKind.EXIT_HANDLER}
    assert State.SKIPPED in {step.state for step in details.steps}
    iterations = [step for step in details.steps if step.kind is StepKind.ITERATION]
    assert [step.iteration_index for step in iterations] == [0, 1, 2]


def test_tip_sample_shows_metrics_and_artifact_previews(gateway, client):
    details = sample(gateway, "tip-prediction")
    step = details.step("evaluator")
    predictions = next(item for item in step.artifacts if item.name == "predictions")
    page = BeautifulSoup(client.get(f"/runs/{details.run.id}/steps/evaluator/").content, "html.parser")
    assert page.select_one(".roc")
    assert page.select_one("table.confusion")
    address = f"/runs/{details.run.id}/steps/evaluator/artifacts/{predictions.id}/"
    preview = BeautifulSoup(client.get(address + "preview").content, "html.parser")
    assert {"target", "score"} <= {cell.text for cell in preview.select("thead th")}
    assert len(preview.select("tbody tr")) == 50
    body = b"".join(client.get(address + "download").streaming_content)
    assert len(body.splitlines()) == 245
    assert gateway.logs(details.run.id, step).text


def test_run_can_be_started_from_the_form_and_cloned(gateway, client):
    (pipeline,) = gateway.pipelines(text="control-flow").items
    version = gateway.pipeline_versions(pipeline.id).items[0]
    form = BeautifulSoup(client.get(f"/runs/new/?pipeline={pipeline.id}").content, "html.parser").select_one(
        "form.run-form"
    )
    fields = form.select("input[name], textarea[name]")
    sent = {field["name"]: field.get("value", field.text.strip()) for field in fields}
    assert sent["version"] == version.id
    response = client.post("/runs/new/", {**sent, "name": "from the form", "new_experiment": "by hand"})
    assert response.status_code == 302, response.content
    run_id = response["Location"].rstrip("/").rpartition("/")[2]
    assert finished(gateway, run_id).run.state is State.SUCCEEDED
    assert gateway.experiment(gateway.run(run_id).experiment_id).name == "by hand"
    assert "Clone of from the form" in client.get(f"/runs/new/?clone={run_id}").content.decode()


def test_run_can_be_terminated_archived_and_deleted(gateway, client):
    (pipeline,) = gateway.pipelines(text="control-flow").items
    version = gateway.pipeline_versions(pipeline.id).items[0]
    run = gateway.run_create(name="short-lived", pipeline_id=pipeline.id, version_id=version.id)
    client.post(f"/runs/{run.id}/terminate")
    assert finished(gateway, run.id).run.state in {State.CANCELLED, State.SUCCEEDED}
    client.post(f"/runs/{run.id}/archive")
    assert run.id not in {item.id for item in gateway.runs(page_size=200).items}
    assert run.id in {item.id for item in gateway.runs(RunQuestion(archived=True)).items}
    client.post(f"/runs/{run.id}/delete")
    assert client.get(f"/runs/{run.id}/").status_code == 404
