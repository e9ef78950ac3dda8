"""Start a run and upload a pipeline."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile

FORM = {
    "pipeline": "p1",
    "version": "v1",
    "name": "my run",
    "param-rounds": "7",
    "param-rate": "0.25",
    "param-model": "forest",
    "param-columns": '["a", 1]',
    "param-label": "tip",
    "pipeline_root": "",
}


def test_fields_have_types_and_defaults(client, kubeflow):
    page = BeautifulSoup(client.get("/runs/new/?pipeline=p1").content, "html.parser")
    assert page.select_one("#id_param-rounds")["type"] == "number"
    assert page.select_one("#id_param-rounds")["value"] == "3"
    assert page.select_one("#id_param-balanced").has_attr("checked")
    assert page.select_one("#id_param-columns").text.strip() == '["day", "time"]'
    assert page.select_one("#id_param-label").has_attr("required")
    assert page.select_one("#id_name")["value"].startswith("tips v1 20")


def test_run_is_started_with_typed_values(client, kubeflow):
    response = client.post("/runs/new/", FORM)
    assert response.status_code == 302
    assert response["Location"] == "/runs/started/"
    (sent,) = kubeflow.posted
    assert sent["display_name"] == "my run"
    assert sent["pipeline_version_reference"] == {"pipeline_id": "p1", "pipeline_version_id": "v1"}
    assert sent["runtime_config"]["parameters"] == {
        "rounds": 7, "rate": 0.25, "balanced": False, "model": "forest", "columns": ["a", 1], "label": "tip",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("param-rounds", "three", "whole number"),
        ("param-rate", "much", "number"),
        ("param-columns", "[1,", "not JSON"),
        ("param-columns", '{"a": 1}', "must be a list"),
        ("param-options", "[1]", "must be an object"),
        ("param-options", '{"a": NaN}', "not a JSON value"),
        ("param-label", "", "required"),
        ("name", "", "required"),
    ],
)
def test_field_errors_are_shown_and_input_is_kept(client, kubeflow, field, typed, words):
    response = client.post("/runs/new/", {**FORM, field: typed})
    assert response.status_code == 422
    page = BeautifulSoup(response.content, "html.parser")
    box = page.select_one(f"#id_{field}")
    assert box["aria-invalid"] == "true"
    assert words in box.find_parent(class_="field").select_one(".error").text
    assert (box.get("value") or box.text.strip()) == typed
    assert page.select_one("#id_param-model")["value"] == "forest"
    assert kubeflow.posted == []


def test_clone_form_has_the_parameters_of_the_run(client, kubeflow):
    page = BeautifulSoup(client.get("/runs/new/?clone=r1").content, "html.parser")
    assert page.select_one("#id_name")["value"] == "Clone of run r1"
    assert page.select_one("#id_param-rounds")["value"] == "5"
    assert page.select_one("#id_param-label")["value"] == "tip"
    assert page.select_one("#id_param-model")["value"] == "tree"


def test_run_without_pipeline_is_not_started(client, kubeflow):
    assert client.post("/runs/new/", {"name": "x"}).status_code == 422
    assert kubeflow.posted == []


def test_upload_is_named_after_its_file_and_redirects_to_its_page(client, kubeflow):
    file = SimpleUploadedFile("tips.yaml", b"pipelineInfo: {name: tips}")
    response = client.post("/pipelines/upload", {"file": file, "name": "", "description": "d"})
    assert response["Location"] == "/pipelines/p1/"
    assert kubeflow.posted[0]["name"] == "tips"
    assert "pipelineInfo: {name: tips}" in kubeflow.posted[0]["body"]


def test_upload_without_file_keeps_the_form(client, kubeflow):
    response = client.post("/pipelines/upload", {"name": "kept"})
    assert response.status_code == 422
    assert 'value="kept"' in response.content.decode()
