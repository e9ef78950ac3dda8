"""Request the pages of runs, pipelines and experiments as a browser does."""

from __future__ import annotations

import io
import json

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from tests.runs.kubeflow import run_row


def soup(response, status=200):
    assert response.status_code == status, response.content[:500]
    return BeautifulSoup(response.content, "html.parser")


@pytest.mark.parametrize(
    "path",
    [
        "/runs/", "/runs/new/", "/runs/compare/", "/runs/r1/", "/runs/r1/steps/train/", "/pipelines/", "/pipelines/p1/",
        "/pipelines/p1/versions/v1/", "/experiments/", "/runs/r1/steps/read-data/artifacts/1/preview",
        "/runs/r1/steps/read-data/artifacts/1/download", "/runs/r1/steps/read-data/log",
    ],
)  # fmt: skip
def test_anonymous_user_is_redirected_to_sign_in(db, kubeflow, path):
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")
    assert kubeflow.requests == []


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/runs/", "Runs"),
        ("/runs/r1/", "run r1"),
        ("/runs/r1/?view=steps", "run r1"),
        ("/runs/r1/?view=parameters", "run r1"),
        ("/runs/r1/?view=spec", "run r1"),
        ("/runs/r1/?view=nonsense", "run r1"),
        ("/runs/r1/steps/for-loop-1/", "for-loop-1 · run r1"),
        ("/runs/r1/steps/train/?tab=details", "train · run r1"),
        ("/runs/new/", "New run"),
        ("/runs/compare/", "Compare runs"),
        ("/pipelines/", "Pipelines"),
        ("/pipelines/p1/", "tips"),
        ("/pipelines/p1/versions/v1/", "tips v1 · tips"),
        ("/pipelines/p1/versions/v1/?view=parameters", "tips v1 · tips"),
        ("/pipelines/p1/versions/v1/?view=spec", "tips v1 · tips"),
        ("/experiments/", "Experiments"),
    ],
)
def test_every_page_has_a_title_and_no_inline_script_or_style(client, kubeflow, path, title):
    page = soup(client.get(path))
    assert page.title.text == f"{title} · vizportal"
    assert page.h1
    assert not [tag for tag in page.find_all("script") if not tag.get("src")]
    assert not page.find_all("style")
    assert not page.find_all(style=True)


def test_run_list_sends_three_requests_to_kubeflow(client, kubeflow, django_assert_max_num_queries):
    kubeflow.runs = [run_row(f"x{number}") for number in range(20)]
    with django_assert_max_num_queries(9):
        page = soup(client.get("/runs/"))
    assert len(page.select("tbody tr")) == 20
    asked = sorted(path for _, path in kubeflow.requests)
    assert asked == ["/apis/v2beta1/experiments", "/apis/v2beta1/pipelines", "/apis/v2beta1/runs"]


def test_filters_are_sent_to_kubeflow_and_shown_as_chips(client, kubeflow):
    kubeflow.runs += [run_row("r2", display_name="other", state="FAILED", error={"message": "step train: no memory"})]
    page = soup(client.get("/runs/?q=oth&state=failed&experiment=e1&sort=name&size=50"))
    assert [row.select_one(".name a").text for row in page.select("tbody tr")] == ["other"]
    assert page.select_one(".why").text == "step train: no memory"
    chips = [chip.text for chip in page.select(".chips .chip")]
    assert len(chips) == 3
    assert "experiment: Default" in chips[2]
    asked = next(query for query in kubeflow.queries if "filter" in query and "state" in query["filter"])
    assert (asked["sort_by"], asked["page_size"], asked["experiment_id"]) == ("name asc", "50", "e1")
    off = page.select_one(".chips .chip")["href"]
    assert "q=" not in off
    assert "state=failed" in off


def test_pipeline_filter_is_applied_by_the_portal(client, kubeflow):
    kubeflow.runs += [run_row("r2", pipeline_version_reference={"pipeline_id": "p2", "pipeline_version_id": "v9"})]
    page = soup(client.get("/runs/?pipeline=p2"))
    assert [row.select_one(".name a").text for row in page.select("tbody tr")] == ["run r2"]


def test_run_list_polls_only_while_runs_are_active(client, kubeflow):
    assert not soup(client.get("/runs/")).select("#run-poll[hx-trigger]")
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    page = soup(client.get("/runs/?sort=name"))
    poll = page.select_one("#run-poll")
    assert poll["hx-get"] == "/runs/?sort=name"
    cells = poll["hx-select-oob"].split(",")
    assert cells == ["#state-r9", "#took-r9"]
    assert all(page.select_one(cell) for cell in cells)


def test_link_with_invalid_parameters_opens_with_errors(client, kubeflow):
    page = soup(
        client.get(
            "/runs/?state=exploded&sort=drop&size=9999999&page=&q=run&from=tomorrow&archived=perhaps", follow=True
        )
    )
    errors = {error["id"].removesuffix("_error"): error.text for error in page.select(".banner [id$=_error]")}
    assert set(errors) == {"state", "sort", "size", "from", "archived"}
    assert "exploded is not one of the available choices" in errors["state"]
    assert "YYYY-MM-DD" in errors["from"]
    assert [row.text for row in page.select("tbody .name a")] == ["run r1"]
    assert [chip.find(string=True).strip() for chip in page.select(".chips .chip")] == ["name contains “run”"]
    asked = next(query for query in kubeflow.queries if "storage_state" in query.get("filter", ""))
    assert {each["key"] for each in json.loads(asked["filter"])["predicates"]} == {"storage_state", "name"}
    assert (asked["sort_by"], asked["page_size"]) == ("created_at desc", "20")


def test_empty_list_says_what_to_do(client, kubeflow):
    assert "No run matches" in client.get("/runs/?q=nothing-like-it").content.decode()
    kubeflow.runs = []
    assert "No runs yet" in client.get("/runs/").content.decode()


def test_malformed_rows_are_shown_and_escaped(client, kubeflow):
    kubeflow.runs = [
        run_row("r1", display_name="<script>alert(1)</script>"),
        {"run_id": "r2", "experiment_id": "e1", "error": {"message": "<b>damaged</b>"}},
        {},
    ]
    page = soup(client.get("/runs/"))
    assert page.select_one("tbody .name a").text == "<script>alert(1)</script>"
    assert page.select(".why")[0].text == "<b>damaged</b>"
    assert len(page.select("tbody tr")) == 3
    assert soup(client.get("/runs/r1/")).h1.text == "<script>alert(1)</script>"
    soup(client.get("/runs/r2/"))


def test_graph_links_every_step_with_name_and_state(client, kubeflow):
    page = soup(client.get("/runs/r1/"))
    nodes = {node["aria-label"]: node["href"] for node in page.select("svg a.node")}
    assert nodes["train, succeeded, 4.2 s, waits for read-data"] == "/runs/r1/steps/train/"
    assert nodes["deploy, skipped"] == "/runs/r1/steps/condition-1.deploy/"
    assert nodes["for-loop-1 #1, succeeded, iteration 1 of 2"] == "/runs/r1/steps/for-loop-1.0/"
    assert len(page.select("svg a.node")) == 9


def test_only_the_page_of_a_running_run_polls(client, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    assert not soup(client.get("/runs/r1/")).select("#run-live[hx-trigger]")
    running = soup(client.get("/runs/r9/"))
    assert running.select_one("#run-live")["hx-trigger"] == "every 2s"
    part = client.get("/runs/r9/", headers={"HX-Request": "true", "HX-Target": "run-live"})
    assert "<html" not in part.content.decode()
    assert soup(part).select_one("#run-head")["hx-swap-oob"] == "true"


def test_poll_keeps_the_selected_step(client, kubeflow):
    headers = {
        "HX-Request": "true",
        "HX-Target": "run-live",
        "HX-Current-URL": "http://testserver/runs/r1/steps/train/?tab=io",
    }
    assert soup(client.get("/runs/r1/", headers=headers)).select_one("a.node[aria-current]")["id"] == "node-train"


def test_step_is_a_page_or_a_panel(client, kubeflow):
    page = soup(client.get("/runs/r1/steps/evaluate/"))
    assert page.select_one("a.node[aria-current]")["id"] == "node-evaluate"
    assert page.select_one("#step-panel h2").text == "evaluate"
    headers = {"HX-Request": "true", "HX-Target": "step-panel"}
    part = client.get("/runs/r1/steps/evaluate/", headers=headers).content.decode()
    assert "<html" not in part
    back = {**headers, "HX-History-Restore-Request": "true"}
    assert "<html" in client.get("/runs/r1/steps/evaluate/", headers=back).content.decode()


def test_metrics_are_drawn_without_render(client, kubeflow):
    page = soup(client.get("/runs/r1/steps/evaluate/"))
    metrics = {row.th.text: row.td.text for row in page.select("table.metrics tr")}
    assert metrics == {"accuracy": "0.91", "auc": "0.87"}
    # The points are (0,0) (0.25,0.75) (1,1), so the area is 0.09375 + 0.65625.
    assert "0.7500" in page.select_one(".roc figcaption").text
    assert [cell.text for cell in page.select(".confusion td.num")] == ["30", "10", "5", "55"]


def test_inputs_and_outputs_are_listed(client, kubeflow):
    page = soup(client.get("/runs/r1/steps/train/?tab=io"))
    rows = {row.th.text.strip(): row.td.get_text(strip=True) for row in page.select("table.ports tr")}
    assert rows["rounds"] == "5"
    assert any(name.startswith("data") for name in rows)


def test_log_is_shown_downloaded_and_reported_if_missing(client, kubeflow):
    assert "reading 244 rows" in client.get("/runs/r1/steps/read-data/?tab=logs").content.decode()
    saved = client.get("/runs/r1/steps/read-data/log")
    assert b"".join(saved.streaming_content) == b"reading 244 rows\ndone\n"
    assert saved["Content-Disposition"] == 'attachment; filename="run r1 - read-data.log"'
    assert "names no pod" in client.get("/runs/r1/steps/train/?tab=logs").content.decode()
    kubeflow.logs.clear()
    assert "is gone" in client.get("/runs/r1/steps/read-data/?tab=logs").content.decode()


def test_log_polls_until_the_step_ends(client, kubeflow):
    headers = {"HX-Request": "true", "HX-Target": "step-log"}
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    kubeflow.add_execution(50, "RUNNING", task_name="train", parent_dag_id=1, pod_name="pod-2")
    running = soup(client.get("/runs/r9/steps/train/log", headers=headers))
    assert running.select_one("#step-log")["hx-trigger"] == "every 2s"
    ended = client.get("/runs/r9/steps/read-data/log", headers=headers)
    assert ended["HX-Retarget"] == "#step-panel"
    assert soup(ended).select_one("[data-panel] .state-succeeded")
    assert not soup(ended).select("#step-log[hx-trigger]")


@pytest.mark.parametrize(
    "path",
    [
        "/runs/nope/",
        "/runs/r1/steps/nope/",
        "/pipelines/nope/",
        "/pipelines/p1/versions/nope/",
        "/runs/r1/steps/nope/log",
    ],
)
def test_missing_object_returns_404(client, kubeflow, path):
    page = soup(client.get(path), 404)
    assert "nope" in page.text


def test_actions_are_posted_and_show_a_message(client, kubeflow):
    assert client.get("/runs/r1/archive").status_code == 405
    page = soup(client.post("/runs/r1/archive", follow=True))
    assert "Archived the run." in page.text
    assert "Unarchive" in page.text
    assert "the run has ended" in soup(client.post("/runs/r1/terminate", follow=True)).text
    assert client.post("/runs/r1/explode").status_code == 404
    assert client.post("/runs/r1/delete")["Location"] == "/runs/"


def test_actions_need_the_csrf_token(db, client, kubeflow):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post("/runs/r1/delete").status_code == 403
    assert not [method for method, _ in kubeflow.requests if method == "DELETE"]


def test_runs_are_compared_side_by_side(client, kubeflow):
    kubeflow.runs.append(run_row("r2", runtime_config={"parameters": {"label": "tip", "rounds": 9}}))
    page = soup(client.get("/runs/compare/?run=r1&run=r2"))
    rows = {
        row.th.get_text(strip=True): [cell.get_text(strip=True) for cell in row.select("td")]
        for row in page.select("tbody tr")
    }
    assert rows["roundsdiffers"] == ["5", "9"]
    assert rows["label"] == ["tip", "tip"]
    assert rows["evaluate: auc"] == ["0.87", "0.87"]


def test_creator_is_loaded_only_for_steps_that_ran(client, kubeflow):
    creator = soup(client.get("/runs/r1/steps/read-data/?artifact=1")).select_one("[data-creator]")
    assert creator["hx-get"] == "/runs/r1/steps/read-data/visualizations/?artifact=1"
    assert creator["hx-trigger"] == "load"
    assert creator.noscript.a["href"] == creator["hx-get"]
    assert not soup(client.get("/runs/r1/steps/condition-1.deploy/")).select("[data-creator]")
    assert not soup(client.get("/runs/r1/steps/for-loop-1/")).select("[data-creator]")


def test_curves_matrices_and_reports_are_compared_side_by_side(client, kubeflow):
    kubeflow.runs.append(run_row("r2", display_name="<b>second</b>"))
    page = soup(client.get("/runs/compare/?run=r1&run=r2"))
    plot = page.select_one(".roc-compare svg")
    assert "evaluate: classes" in plot["aria-label"]
    assert "run r1, area 0.7500; <b>second</b>, area 0.7500" in plot["aria-label"]
    assert [line["class"][1] for line in plot.select("polyline")] == ["line-1", "line-2"]
    counts = [[cell.text for cell in table.select("td.num")] for table in page.select("table.confusion")]
    assert counts == [["30", "10", "5", "55"]] * 2
    assert [frame["src"] for frame in page.select("iframe")] == [
        "/runs/r1/steps/evaluate/artifacts/4/frame",
        "/runs/r2/steps/evaluate/artifacts/4/frame",
    ]
    assert all(frame["sandbox"] == ["allow-scripts"] for frame in page.select("iframe"))
    assert next(text["hx-get"] for text in page.select(".side-text")) == "/runs/r1/steps/evaluate/artifacts/5/preview"


def test_comparison_can_show_only_differences(client, kubeflow):
    kubeflow.runs.append(run_row("r2", runtime_config={"parameters": {"label": "tip", "rounds": 9}}))
    page = soup(client.get("/runs/compare/?run=r1&run=r2&differences=1"))
    assert [row.th.contents[0].strip() for row in page.select("tr.differs")] == ["rounds"]
    assert "label" not in [row.th.get_text() for row in page.select("tbody tr")]


def test_unreadable_run_does_not_hide_the_others(client, kubeflow):
    kubeflow.runs.append(run_row("r2"))
    page = soup(client.get("/runs/compare/?run=r1&run=gone&run=r2"))
    assert "gone" in page.select_one(".banner-error").text
    assert len(page.select("thead th")) >= 2


def test_new_version_is_uploaded_and_errors_keep_the_form(client, kubeflow):
    kubeflow.versions[0]["pipeline_version_id"] = "v2"
    file = io.BytesIO(b"pipelineInfo: {name: x}\n")
    file.name = "tips.yaml"
    answer = client.post("/pipelines/p1/upload", {"file": file, "name": "tips v2"})
    assert answer.status_code == 302, answer.content[:400]
    assert kubeflow.posted[-1]["name"] == "tips v2"
    assert answer["Location"] == "/pipelines/p1/versions/v2/"
    refused = client.post("/pipelines/p1/upload", {"name": "tips v3"})
    assert refused.status_code == 422
    assert 'value="tips v3"' in refused.content.decode()
