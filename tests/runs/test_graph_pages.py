"""Graph pages without JavaScript: the address determines the view, and every button is a link."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.runs.kubeflow import run_row


def soup(response):
    assert response.status_code == 200, response.content[:400]
    return BeautifulSoup(response.content, "html.parser")


def nodes(page):
    return {node["id"].removeprefix("node-") for node in page.select("svg[data-graph] [data-node]")}


def task(name, component="work", **more):
    return {"componentRef": {"name": f"comp-{component}"}, "taskInfo": {"name": name}, **more}


def spec(tasks, **components):
    return {
        "pipelineInfo": {"name": "made"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {"tasks": tasks}},
        "components": {
            "comp-work": {"executorLabel": "exec-work"},
            **{f"comp-{name}": {"dag": {"tasks": inner}} for name, inner in components.items()},
        },
        "deploymentSpec": {"executors": {"exec-work": {"container": {"image": "python:3.11"}}}},
    }


def add_run(kubeflow, run_id, tasks, *, state="SUCCEEDED", **components):
    kubeflow.executions.clear()
    kubeflow.runs.append(run_row(run_id, state=state) | {"pipeline_spec": spec(tasks, **components)})


def test_iteration_link_shows_the_chosen_iteration(client, kubeflow):
    page = soup(client.get("/runs/r1/"))
    assert {"for-loop-1.0", "for-loop-1.0.score"} <= nodes(page)
    link = page.select_one("#after-for-loop-1")
    assert link["aria-label"] == "Next iteration of for-loop-1"
    assert not page.select("#before-for-loop-1")
    other = soup(client.get("/runs/r1/" + link["href"]))
    assert {"for-loop-1.1", "for-loop-1.1.score"} <= nodes(other)
    assert "for-loop-1.0.score" not in nodes(other)
    assert not other.select("#after-for-loop-1")
    options = other.select("#menu-for-loop-1 .menu-items a")
    assert [option.text.split() for option in options] == [
        ["Succeeded", "for-loop-1", "#1"],
        ["Succeeded", "for-loop-1", "#2"],
    ]
    assert options[1]["aria-current"] == "true"


def test_frame_closes_by_link_and_summarizes_its_content(client, kubeflow):
    page = soup(client.get("/runs/r1/"))
    toggle = page.select_one("#toggle-condition-1")
    assert (toggle["aria-label"], toggle["aria-expanded"]) == ("Close condition-1", "true")
    closed = soup(client.get("/runs/r1/" + toggle["href"]))
    assert "condition-1.deploy" not in nodes(closed)
    box = closed.select_one("#node-condition-1")
    assert box["aria-label"].startswith("condition-1, skipped, 1 step inside: 1 skipped")
    assert box.select_one(".node-word").text.strip() == "1 skipped"
    assert ("train", "condition-1") in {(line["data-from"], line["data-to"]) for line in closed.select(".edge")}
    again = closed.select_one("#toggle-condition-1")
    assert again["aria-expanded"] == "false"
    assert nodes(soup(client.get("/runs/r1/" + again["href"]))) == nodes(page)


def test_step_link_opens_the_frames_around_it(client, kubeflow):
    page = soup(client.get("/runs/r1/steps/for-loop-1.1.score/"))
    assert page.select_one("#node-for-loop-1\\.1\\.score")["aria-current"] == "true"


def test_view_state_is_kept_in_step_links_and_refresh(client, kubeflow):
    query = "?open=a,b&close=condition-1&iteration=for-loop-1:1&artifacts=1"
    page = soup(client.get("/runs/r1/" + query))
    found = page.select_one("#node-train")["href"]
    assert urlsplit(found).path == "/runs/r1/steps/train/"
    assert parse_qs(urlsplit(found).query) == parse_qs(query[1:])
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    live = soup(client.get("/runs/r9/" + query)).select_one("#run-live")
    assert live["hx-get"] == "/runs/r9/" + query
    panel = soup(client.get("/runs/r1/steps/train/?view=timeline"))
    assert panel.select_one("table.timeline tr[aria-selected] #node-train")


def test_invalid_view_parameters_are_ignored(client, kubeflow):
    plain = nodes(soup(client.get("/runs/r1/")))
    for query in ("?open=,,&close=%01", "?iteration=for-loop-1:-1", "?iteration=for-loop-1:9999999999", "?frames=x"):
        assert nodes(soup(client.get("/runs/r1/" + query))) == plain
    long = "?open=" + ",".join(f"f{number}" for number in range(3000))
    assert nodes(soup(client.get("/runs/r1/" + long))) == plain


def test_artifacts_are_drawn_between_steps_on_demand(client, kubeflow):
    page = soup(client.get("/runs/r1/"))
    assert not page.select("[data-artifact]")
    drawn = soup(client.get("/runs/r1/" + page.select_one("#graph-artifacts")["href"]))
    pills = {pill.select_one("text").text: pill for pill in drawn.select("a[data-artifact]")}
    assert set(pills) == {"data", "metrics", "classes", "report", "notes", "picture"}
    assert pills["data"]["aria-label"] == "data, Dataset of read-data, read by train"
    assert pills["data"]["href"] == "/runs/r1/steps/read-data/?artifacts=1#artifact-output-1"
    lines = {(line["data-from"], line["data-to"]) for line in drawn.select(".edge")}
    assert {("read-data", pills["data"]["id"]), (pills["data"]["id"], "train")} <= lines


def test_graph_has_a_text_description(client, kubeflow):
    page = soup(client.get("/runs/r1/"))
    assert page.select_one("#graph-summary").text == "7 steps: 4 succeeded, 2 cached, 1 skipped"
    assert page.select_one("svg[data-graph] desc").text.startswith("7 steps: 4 succeeded")
    assert "Steps view" in page.select_one("[data-graph-wrap]")["aria-label"]
    for node in page.select("svg[data-graph] [data-node]"):
        assert node["data-state"] in node["aria-label"]
        assert node["data-kind"]


def test_step_names_are_escaped(client, kubeflow):
    names = {"a": "<script>alert(1)</script>", "b": "😀" * 40, "c": "long" * 400, "d": "x\u0000\u202ey"}
    add_run(kubeflow, "odd", {key: task(name, dependentTasks=["a"]) for key, name in names.items()})
    page = soup(client.get("/runs/odd/"))
    assert not page.select("svg[data-graph] script")
    assert page.select_one("#node-a title").text == "<script>alert(1)</script>: unknown"
    assert page.select_one("#node-c")["aria-label"].startswith("long" * 400)
    assert len(page.select_one("#node-c .node-name").text) < 40
    assert nodes(page) == {"a", "b", "c", "d"}


def test_run_with_more_than_500_steps_opens_as_list(client, kubeflow):
    add_run(kubeflow, "large", {f"s{number}": task(f"s{number}") for number in range(501)})
    page = soup(client.get("/runs/large/"))
    assert not page.select("svg[data-graph]")
    assert len(page.select("tr [data-node]")) == 501
    assert page.select_one("nav.tabs [aria-current]").text == "Steps"
    anyway = page.find("a", string="Draw the graph anyway")
    assert "501 steps" in anyway.parent.text
    drawn = soup(client.get("/runs/large/" + anyway["href"]))
    assert len(nodes(drawn)) == 501
    add_run(kubeflow, "many", {f"s{number}": task(f"s{number}") for number in range(500)})
    assert len(nodes(soup(client.get("/runs/many/")))) == 500


def test_graph_with_too_many_boxes_is_not_offered(client, kubeflow):
    add_run(kubeflow, "huge", {f"s{number}": task(f"s{number}") for number in range(1600)})
    page = soup(client.get("/runs/huge/?draw=1"))
    assert not page.select("svg[data-graph]")
    assert page.find("a", string="Draw the graph anyway") is None
    assert "too many boxes" in page.text


def test_large_pipeline_opens_as_task_list(client, kubeflow):
    tasks = {f"s{number}": task(f"s{number}", dependentTasks=["s0"] if number else []) for number in range(501)}
    kubeflow.versions[0]["pipeline_spec"] = spec(tasks)
    page = soup(client.get("/pipelines/p1/versions/v1/"))
    assert len(page.select("tr [data-node]")) == 501
    anyway = page.find("a", string="Draw the graph anyway")
    assert len(nodes(soup(client.get("/pipelines/p1/versions/v1/" + anyway["href"])))) == 501
    assert "501 tasks" in soup(client.get("/pipelines/p1/")).text


def test_frames_of_a_large_pipeline_open_by_link(client, kubeflow):
    stages = {f"stage-{number}": task(f"stage {number}", "stage") for number in range(8)}
    inner = {f"t{number}": task(f"t{number}") for number in range(9)}
    kubeflow.versions[0]["pipeline_spec"] = spec(stages, stage=inner)
    for path in ("/pipelines/p1/", "/pipelines/p1/versions/v1/"):
        page = soup(client.get(path))
        assert len(nodes(page)) == 8
        opened = soup(client.get(path + page.select_one("#toggle-stage-3")["href"]))
        assert len(nodes(opened)) == 17
        everything = soup(client.get(path + page.select_one("#graph-frames-open")["href"]))
        assert len(nodes(everything)) == 80


def test_timeline_has_a_row_for_every_step(client, kubeflow):
    page = soup(client.get("/runs/r1/?view=timeline"))
    rows = page.select("table.timeline tbody tr")
    assert len(rows) == 11
    assert rows[-1]["class"] == ["never"]
    assert rows[-1].select_one("[data-node]")["id"] == "node-condition-1.deploy"
    bar = page.select_one("#node-train").find_parent("tr").select_one("[data-bar]")
    assert bar["aria-label"] == "succeeded, started 0.0 s after the start, took 4.2 s"
    assert page.select_one("#node-train")["href"] == "/runs/r1/steps/train/?view=timeline"
    assert page.select("svg.axis-marks text")


@pytest.mark.parametrize("view", ["graph", "steps", "timeline", "parameters", "spec", "nonsense"])
def test_every_view_of_a_run_opens(view, client, kubeflow):
    assert client.get(f"/runs/r1/?view={view}").status_code == 200
