"""What the portal answers to the code editor."""

import json
import re
from dataclasses import replace

import pytest

from apps.runs.entities import Artifact
from apps.runs.exceptions import EndpointDownError
from apps.visualizations import selectors
from apps.visualizations.views import creator, editor

pytestmark = pytest.mark.django_db
STEP = "/runs/r1/steps/s1/visualizations/"


@pytest.fixture
def words(monkeypatch, kubeflow, owner, browser):
    monkeypatch.setattr(editor, "gateway_for", lambda *_: kubeflow)
    return lambda query="": browser(owner).get(f"{STEP}words{query}").json()


def test_editor_gets_column_and_package_names(words):
    found = words("?artifact=predictions")
    assert found["columns"] == ["score", "label"]
    assert {"pandas", "polars", "vizkit"} <= set(found["packages"])
    assert not {"bin", "render_child"} & set(found["packages"])


def test_editor_gets_empty_lists_for_what_cannot_be_read(words, kubeflow):
    assert words("?artifact=model")["columns"] == []
    assert words("?environment=../x")["packages"] == []
    kubeflow.error = EndpointDownError("down")
    assert words("?artifact=predictions")["columns"] == []


def test_type_code_can_be_used_as_custom_code(owner, browser):
    answer = browser(owner).get("/types/table/code")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    code = answer.content.decode()
    compile(code, "table", "exec")
    assert re.search(r"^variables = \{\n(    '\w+': .*,\n)+\} \| variables$", code, re.MULTILINE)
    assert 'environment = "tfx"' in browser(owner).get("/types/tfma/code").content.decode()
    assert browser(owner).get("/types/nothing/code").status_code == 404


@pytest.mark.parametrize("how", ["schema title", "metadata"])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ExampleStatistics", "tfdv"),
        ("Schema", "tf_schema"),
        ("ExampleAnomalies", "tf_anomalies"),
        ("ModelEvaluation", "tfma"),
    ],
)
def test_tfx_artifact_is_offered_its_type_first(name, key, how):
    given = (
        {"type": f"tfx.{name}"}
        if how == "schema title"
        else {"type": "system.Artifact", "metadata": {"tfx_type": name}}
    )
    artifact = Artifact(id="1", name="x", uri="minio://b/x", direction="output", **given)
    assert selectors.type_order(artifact)[0].key == key
    assert selectors.type_made_for(artifact).key == key


def test_one_click_render_uses_defaults_and_resets_the_creator(kubeflow, owner, browser, monkeypatch, kernel):
    monkeypatch.setattr(creator, "gateway_for", lambda *_: kubeflow)
    [step] = kubeflow.details.steps
    found = Artifact(
        id="7", name="stats", type="system.Artifact", uri="minio://b/stats", direction="output",
        metadata={"tfx_type": "ExampleStatistics"},
    )  # fmt: skip
    kubeflow.details = replace(kubeflow.details, steps=(replace(step, artifacts=(*step.artifacts, found)),))
    page = browser(owner).get(f"{STEP}?artifact=stats", headers={"HX-Request": "true"}).content.decode()
    form = re.search(r'<form class="banner.*?</form>', page, re.DOTALL)[0]
    given = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    given.pop("csrfmiddlewaretoken", None)
    given["arguments_json"] = "{}"
    answer = browser(owner).post(STEP, given, headers={"HX-Request": "true"}).content.decode()
    assert 'data-view="fields"' in answer
    assert "Waiting" in answer
    from apps.visualizations.models import Render

    render = Render.objects.get()
    assert (render.visualization.type_key, render.source_uri) == ("tfdv", "minio://b/stats")
    assert json.dumps(render.arguments)
