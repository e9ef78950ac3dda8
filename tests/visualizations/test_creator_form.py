"""The form of the Creator: its fields, their values and errors."""

import json
from dataclasses import replace

import pytest
from django.http import QueryDict
from renderer import option_names
from vizkit.types.entities import VisualizationType

from apps.visualizations.api import schemas
from apps.visualizations.argument_fields import arguments_form
from apps.visualizations.exceptions import CustomOffError, InvalidRequestError
from apps.visualizations.forms import VisualizationForm

# The catalogue reads approved types from the database.
pytestmark = pytest.mark.django_db


def kind(schema, **values):
    facts = {"key": "k", "title": "K", "description": "", "environment": "base", "artifact_types": (), "patterns": ()}
    whole = {"type": "object", "additionalProperties": False, "properties": schema, **values}
    return VisualizationType(**facts, schema=whole, code="", version="0" * 16, path=None)


SCHEMA = {
    "name": {"type": "string", "title": "Column", "description": "Which.", "examples": ["score"]},
    "mode": {"enum": ["a", 2], "default": 2},
    "rows": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
    "cut": {"type": ["number", "null"]},
    "header": {"type": "boolean", "default": True},
    "columns": {"type": "array", "items": {"type": "string"}},
    "more": {"type": "object"},
}


@pytest.fixture
def step(kubeflow):
    return kubeflow.details.steps[0]


@pytest.fixture
def post(step):
    """Returns a form bound to the data of a browser's POST."""

    def send(**values):
        data = QueryDict(mutable=True)
        data.update({"artifact": "predictions", "type": "table", "arguments_view": "fields", **values})
        return VisualizationForm(step, data)

    return send


def test_fields_follow_schema_order():
    form = arguments_form(kind(SCHEMA, required=["name"]))
    assert list(form.fields) == list(SCHEMA)
    assert form.fields["name"].required
    assert form.fields["name"].label == "Column"
    assert form.fields["name"].help_text == "Which. For example: score"
    html = str(form)
    assert 'max="9"' in html
    assert 'type="checkbox"' in html


def test_submitted_values_become_json_values():
    data = QueryDict(mutable=True)
    values = {"name": "it's", "mode": "2", "rows": "4", "cut": "0.5", "columns": "a\r\n\r\n b ", "more": '{"x": 1}'}
    data.update({f"arguments-{name}": value for name, value in values.items()})
    form = arguments_form(kind(SCHEMA), data)
    assert form.is_valid(), form.errors
    assert form.values() == {
        "name": "it's",
        "mode": 2,
        "rows": 4,
        "cut": 0.5,
        "header": False,
        "columns": ["a", "b"],
        "more": {"x": 1},
    }
    json.dumps(form.values())


@pytest.mark.parametrize(
    ("name", "value"), [("rows", "x"), ("rows", "10"), ("cut", "nan"), ("cut", "1e999"), ("mode", "3")]
)
def test_invalid_value_is_reported_at_its_field(name, value):
    data = QueryDict(mutable=True)
    data[f"arguments-{name}"] = value
    data["arguments-mode"] = data.get("arguments-mode", "a")
    form = arguments_form(kind(SCHEMA), data)
    assert not form.is_valid()
    assert list(form.errors) == [name]


def test_empty_fields_are_left_to_the_types_defaults():
    form = arguments_form(kind(SCHEMA), QueryDict("arguments-mode=a"))
    assert form.is_valid()
    assert form.values() == {"mode": "a", "header": False}


def test_new_form_starts_with_fitting_type_and_artifact_uri(step):
    form = VisualizationForm(step)
    assert form.initial["source"] == "minio://b/predictions.csv"
    assert form.initial["type"] == form.kind.key
    assert form.kind.fits("system.Dataset", "predictions.csv")
    chosen = VisualizationForm(step, initial={"artifact": "model", "type": "ROC_CURVE"})
    assert (chosen.initial["source"], chosen.kind.key) == ("minio://b/model", "roc_curve")


def test_posted_form_becomes_a_request(post):
    form = post(source="minio://b/predictions.csv", title="T", timeout_s="5")
    assert form.is_valid(), (form.errors, form.arguments.errors)
    request = form.to_request("r1")
    assert (request.type_key, request.run_id, request.step_id, request.artifact_name) == (
        "table",
        "r1",
        "s1",
        "predictions",
    )
    assert (request.source, request.title, request.options, request.force) == ("", "T", {"timeout_s": 5.0}, False)


def test_changed_source_is_kept_in_the_request(post):
    form = post(source="s3://b/x.csv")
    assert form.is_valid()
    assert form.to_request("r1").source == "s3://b/x.csv"


def test_json_view_replaces_the_fields(post):
    form = post(arguments_view="json", arguments_json='{"max_rows": 5}')
    assert form.is_valid()
    assert form.to_request("r1").arguments == {"max_rows": 5}
    for bad in ("{", "[]", '{"x": NaN}', "[" * 100_000):
        form = post(arguments_view="json", arguments_json=bad)
        assert not form.is_valid()
        assert list(form.errors) == ["arguments_json"]
        assert form["arguments_json"].value() == bad


def test_custom_type_is_available_only_when_allowed(post, step, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    assert "custom" not in dict(VisualizationForm(step).fields["type"].choices)
    form = post(type="custom", code="print(1)")
    assert not form.is_valid()
    assert form.errors["type"] == [str(CustomOffError())]
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    form = post(type="custom", code="print(1)")
    assert form.is_valid(), form.errors
    assert form.to_request("r1").code == "print(1)"
    assert "code" not in VisualizationForm(step, initial={"type": "table"}).fields


def test_unknown_type_or_artifact_is_refused_and_input_is_kept(post):
    form = post(type="../../x", artifact="nothing", title="Kept")
    assert not form.is_valid()
    assert set(form.errors) == {"type", "artifact"}
    assert form["title"].value() == "Kept"


def test_service_errors_appear_at_their_fields(post):
    form = post()
    assert form.is_valid()
    name = next(iter(form.arguments.fields))
    form.add_service_error(InvalidRequestError("No.", fields={f"arguments.{name}": "Wrong.", "source": "Refused."}))
    assert form.arguments.errors[name] == ["Wrong."]
    assert form.errors["source"] == ["Refused."]
    form.add_service_error(CustomOffError())
    assert form.non_field_errors() == [str(CustomOffError())]


def test_artifacts_with_same_name_are_distinguished_by_id(step):
    same = [replace(step.artifacts[0], id=str(number), uri=f"minio://b/{number}.csv") for number in (7, 8)]
    loop = replace(step, artifacts=(*same, step.artifacts[1]))
    values = [value for value, _ in VisualizationForm(loop).fields["artifact"].choices]
    assert values == ["", "7", "8", "model"]
    form = VisualizationForm(loop, initial={"artifact": "8"})
    assert (form["artifact"].value(), form.initial["source"]) == ("8", "minio://b/8.csv")


def test_link_may_select_artifact_by_id(step):
    assert VisualizationForm(step, initial={"artifact": "2"})["artifact"].value() == "model"


@pytest.mark.parametrize("name", option_names())
def test_creator_and_api_accept_every_render_option(name):
    assert name in VisualizationForm.base_fields
    for schema in (schemas.VisualizationIn, schemas.RerenderIn):
        assert schema.model_fields[name].default is None, "None: not given"
