"""A run's page links to its experiment, its failed step with its log, and its effective parameters."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

import pytest
from bs4 import BeautifulSoup

from apps.runs.models import RunMetrics
from tests.runs.kubeflow import run_row
from tests.runs.specs import SPEC


def page_of(client, path):
    response = client.get(path)
    assert response.status_code == 200, response.content[:300]
    return BeautifulSoup(response.content, "html.parser")


def test_experiment_is_named_and_linked(client, kubeflow):
    link = page_of(client, "/runs/r1/").select_one("#run-head a[href='/runs/?experiment=e1']")
    assert link.text == "Default"


def test_deleted_experiment_is_shown_by_id_and_requested_once(client, kubeflow):
    kubeflow.runs.append(run_row("r2", experiment_id="gone"))
    for _ in range(3):
        assert "gone" in page_of(client, "/runs/r2/").select_one("#run-head").text
    assert len([path for _, path in kubeflow.requests if path.endswith("/experiments/gone")]) == 1


@pytest.fixture
def failed(kubeflow):
    kubeflow.runs.append(run_row("r2", state="FAILED", error={"code": 9, "message": "step train failed: boom"}))
    kubeflow.executions.clear()
    kubeflow.events.clear()
    kubeflow.add_execution(1, "RUNNING", "DAG", task_name="")
    kubeflow.add_execution(3, "FAILED", task_name="train", parent_dag_id=1, pod_name="pod-3")
    kubeflow.logs = {"pod-3": "before\nboom\n"}


def test_failure_links_to_the_failed_step_and_its_log(client, failed):
    banner = page_of(client, "/runs/r2/").select_one("#run-head .banner-error")
    assert banner.select_one("a")["href"] == "/runs/r2/steps/train/?tab=logs"
    assert "train" in banner.select_one("a").text


def test_failed_step_opens_on_the_log_tab(client, failed):
    page = page_of(client, "/runs/r2/steps/train/")
    assert page.select_one(".panel-tabs [aria-current]").text.strip().startswith("Logs")
    assert "boom" in page.select_one("#log-lines").text
    # A tab in the address has precedence.
    for query in ("?tab=artifacts", "?artifact=data"):
        tab = page_of(client, f"/runs/r2/steps/train/{query}").select_one(".panel-tabs [aria-current]")
        assert tab.text.strip().startswith("Artifacts")
    working = page_of(client, "/runs/r1/steps/evaluate/").select_one(".panel-tabs [aria-current]")
    assert working.text.strip().startswith("Artifacts")


def test_parameters_include_defaults(client, kubeflow):
    page = page_of(client, "/runs/r1/?view=parameters")
    shown = {row.th.contents[0].strip(): row.td.text.strip() for row in page.select("#run-live tbody tr")}
    given = {"label": "tip", "rounds": "5"}
    definitions = SPEC["root"]["inputDefinitions"]["parameters"]
    assert shown.keys() == {*given, *(name for name, rule in definitions.items() if "defaultValue" in rule)}
    assert {name: shown[name] for name in given} == given
    marked = {row.th.contents[0].strip() for row in page.select("#run-live tbody tr") if row.select_one(".chip")}
    assert marked == shown.keys() - given.keys()


def test_comparison_uses_effective_parameters(client, kubeflow):
    # The first run sets the default's value, and the second omits it.
    rate = SPEC["root"]["inputDefinitions"]["parameters"]["rate"]["defaultValue"]
    kubeflow.runs[:] = [
        run_row("r1", runtime_config={"parameters": {"label": "tip", "rate": rate}}),
        run_row("r2", runtime_config={"parameters": {"label": "tip"}}),
    ]
    page = page_of(client, "/runs/compare/?run=r1&run=r2")
    row = next(each for each in page.select("table.compare tr") if each.th and each.th.text.strip().startswith("rate"))
    assert "differs" not in row.get("class", [])


@pytest.mark.parametrize("artifact", ["by_day", "a b&c", "1"])
def test_query_parameters_are_passed_to_the_creator(client, kubeflow, artifact):
    chosen = {"type": ["table"], "artifact": [artifact]}
    query = urlencode({"tab": "artifacts", **chosen}, doseq=True)
    address = page_of(client, f"/runs/r1/steps/read-data/?{query}").select_one("[data-creator]")["hx-get"]
    assert parse_qs(address.partition("?")[2]) == chosen


def test_different_metrics_of_a_column_have_different_texts(client, kubeflow, db):
    finished = datetime(2026, 9, 21, 12, 1, 12, tzinfo=UTC)
    values = {"r1": 0.912341, "r2": 0.912342, "r3": 0.5}
    for run_id, value in values.items():
        if run_id != "r1":
            kubeflow.runs.append(run_row(run_id))
        RunMetrics.objects.create(endpoint_key="default", run_id=run_id, finished_at=finished, values={"auc": value})
    page = page_of(client, "/runs/")
    shown = {cell.text.strip() for cell in page.select("tbody td.num span[title]")}
    assert {float(text) for text in shown} == set(values.values())
