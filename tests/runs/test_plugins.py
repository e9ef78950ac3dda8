"""Read and show the output of Kubeflow's plugins for a run."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from apps.runs.entities import State
from apps.runs.gateway.plugins import plugins
from tests.runs.kubeflow import run_row

MLFLOW = {
    "mlflow": {
        "state": "PLUGIN_SUCCEEDED",
        "entries": {
            "run_url": {"value": "https://mlflow.example/#/experiments/1/runs/a", "render_type": "URL"},
            "experiment_id": {"value": "1"},
        },
    }
}


def test_state_links_and_texts_are_read():
    (found,) = plugins(MLFLOW)
    assert (found.name, found.state) == ("mlflow", State.SUCCEEDED)
    assert [(entry.name, entry.value, bool(entry.url)) for entry in found.entries] == [
        ("experiment_id", "1", False),
        ("run_url", "https://mlflow.example/#/experiments/1/runs/a", True),
    ]


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil", "https://", "http://[", "/runs/", 7, None, {"a": [1.0]}],
)
def test_only_a_web_address_becomes_a_link(address):
    (found,) = plugins({"x": {"entries": {"e": {"value": address, "render_type": "URL"}}}})
    assert found.entries[0].url == ""


@pytest.mark.parametrize("value", [None, [], "text", {"x": None}, {"x": {"entries": []}}, {"x": {"entries": {"e": 7}}}])
def test_malformed_output_is_ignored(value):
    assert all(entry.url == "" for plugin in plugins(value) for entry in plugin.entries)


def test_run_page_and_run_list_show_plugins(client, kubeflow):
    kubeflow.runs.append(run_row("r9", plugins_output=MLFLOW))
    page = BeautifulSoup(client.get("/runs/r9/").content, "html.parser")
    link = page.select_one("#run-head .plugin a")
    assert (link["href"], link["rel"]) == (MLFLOW["mlflow"]["entries"]["run_url"]["value"], ["noreferrer", "noopener"])
    assert "experiment_id: 1" in page.select_one("#run-head .plugin").text
    listed = BeautifulSoup(client.get("/runs/").content, "html.parser")
    assert "Plugins" in [head.text for head in listed.select("th")]
    assert listed.select_one("td .plugin a")["href"] == link["href"]


def test_run_list_without_plugins_has_no_column(client, kubeflow):
    page = BeautifulSoup(client.get("/runs/").content, "html.parser")
    assert "Plugins" not in [head.text for head in page.select("th")]


def test_api_returns_plugins(client, kubeflow):
    kubeflow.runs.append(run_row("r9", plugins_output=MLFLOW))
    (found,) = client.get("/api/v1/runs/r9").json()["plugins"]
    assert (found["name"], found["state"], found["entries"][1]["name"]) == ("mlflow", "succeeded", "run_url")
