"""Start runs with plugin settings, and KFP 1.x pipelines in a namespace that blocks them."""

from __future__ import annotations

import json

import pytest
from bs4 import BeautifulSoup

from tests.runs.test_new_run import FORM

MLFLOW = {"mlflow": {"experiment_name": "tips"}}


def field_of(response):
    return BeautifulSoup(response.content, "html.parser").select_one("#id_plugins_input")


@pytest.mark.parametrize(
    ("version", "is_offered"),
    [("2.17.0", True), ("v2.18.0-rc.1", True), ("3.0.0", True), ("2.16.4", False), ("dev", False), ("", False)],
)
def test_plugin_settings_are_offered_if_the_server_supports_them(client, kubeflow, version, is_offered):
    kubeflow.version = version
    assert (field_of(client.get("/runs/new/?pipeline=p1")) is not None) is is_offered
    client.get("/runs/new/?pipeline=p1")
    assert len([path for _, path in kubeflow.requests if path == "/apis/v2beta1/healthz"]) == 1


def test_plugin_settings_are_sent_with_the_run(client, kubeflow):
    kubeflow.version = "2.17.0"
    assert client.post("/runs/new/", {**FORM, "plugins_input": json.dumps(MLFLOW)}).status_code == 302
    assert client.post("/runs/new/", {**FORM, "plugins_input": ""}).status_code == 302
    first, second = kubeflow.posted
    assert first["plugins_input"] == MLFLOW
    assert "plugins_input" not in second


def test_plugin_settings_must_be_objects(client, kubeflow):
    kubeflow.version = "2.17.0"
    response = client.post("/runs/new/", {**FORM, "plugins_input": '{"mlflow": true}'})
    assert response.status_code == 422
    assert "The settings of mlflow must be an object" in response.content.decode()


def test_clone_form_has_the_plugin_settings_of_the_run(client, kubeflow):
    kubeflow.runs[0]["plugins_input"] = MLFLOW
    assert json.loads(field_of(client.get("/runs/new/?clone=r1")).text) == MLFLOW


WORKFLOW = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"arguments": {}}}
BLOCKED = "Namespace team-a is not allowed to run v1 pipelines. Please migrate to using KFP V2 pipelines."


@pytest.mark.parametrize(("spec", "is_advised"), [(WORKFLOW, True), (None, False)])
def test_blocked_kfp_1_pipeline_error_suggests_kfp_2(client, kubeflow, spec, is_advised):
    kubeflow.refusal = BLOCKED
    if spec is not None:
        kubeflow.versions[0]["pipeline_spec"] = spec
    response = client.post("/runs/new/", FORM)
    assert response.status_code == 422
    page = response.content.decode()
    assert BLOCKED in page
    assert ("Choose one that was compiled with KFP 2" in page) is is_advised
