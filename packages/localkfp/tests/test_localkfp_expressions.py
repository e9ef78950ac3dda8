"""Evaluate conditions, placeholders and declared types without a run."""

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from localkfp import conditions, placeholders
from localkfp.values import TaskError, typed

N = "inputs.parameter_values['n']"


@pytest.mark.parametrize(
    ("expression", "n", "wanted"),
    [
        (f"int({N}) > 2", 3, True),
        (f"int({N}) > 2", "3", True),
        (f"double({N}) >= 2.5", 2.4, False),
        (f"{N} == 'a && !b || true'", "a && !b || true", True),
        (f"{N} == 'it'", "it's", False),
        (f"!({N} == 'a') && {N} != 'b'", "c", True),
        (f"!({N} == 'a') && {N} != 'b'", "b", False),
        (f"{N} == 'a' || {N} == 'b'", "b", True),
        (f"{N} == true", True, True),
        (f"{N} == true", False, False),
        (f"!(int({N}) == 1) && !(int({N}) == 2) &&\n  int({N}) < -1", -5, True),
    ],
)
def test_conditions(expression, n, wanted):
    assert conditions.is_true(expression, {"n": n}) is wanted


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (
            "inputs.parameter_values['pipelinechannel--x'] == 'a'",
            "its condition needs a value for 'x', and there is none",
        ),
        (f"int({N}) > 2", "its condition cannot be evaluated: int(inputs.parameter_values['n']) > 2"),
        ("__import__('os').system('true') == 0", "its condition cannot be evaluated"),
        ("1 +", "its condition cannot be evaluated: 1 +"),
    ],
)
def test_invalid_condition_raises_task_error(expression, said):
    with pytest.raises(TaskError, match="^" + "its condition") as raised:
        conditions.is_true(expression, {"n": "many"})
    assert str(raised.value).startswith(said)


FACTS = {"pipeline_job_uuid": "u-1", "workspace_path": "/work space"}
INPUT = {
    "inputs": {
        "parameterValues": {"n": 3, "list": [1, 2.5], "yes": True, "text": "{{$.pipeline_job_uuid}}", "null": None},
        "artifacts": {"data": {"artifacts": [{"uri": "/d", "metadata": {"rows": 4}}]}},
    },
    "outputs": {
        "parameters": {"out": {"outputFile": "/o/out"}},
        "artifacts": {"made": {"artifacts": [{"uri": "/o/made"}]}},
        "outputFile": "/o/e.json",
    },
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{$.inputs.parameters['n']}}", "3"),
        ("{{$.inputs.parameters[''n'']}}/{{$.inputs.parameters['yes']}}", "3/true"),
        ("{{$.inputs.parameters['list']}}", "[1, 2.5]"),
        ("{{$.inputs.parameters['text']}}", "{{$.pipeline_job_uuid}}"),
        ("{{$.inputs.parameters['null']}}", "{{$.inputs.parameters['null']}}"),
        ("{{$.inputs.artifacts['data'].path}}", "/d"),
        ("{{$.inputs.artifacts['data'].metadata['rows']}}", "4"),
        ("{{$.inputs.artifacts['data']}}", '[{"uri": "/d", "metadata": {"rows": 4}}]'),
        ("{{$.inputs.artifacts['none'].uri}}", "{{$.inputs.artifacts['none'].uri}}"),
        ("{{$.outputs.parameters['out'].output_file}}", "/o/out"),
        ("{{$.outputs.artifacts['made'].uri}}", "/o/made"),
        ("{{$.outputs.output_file}}", "/o/e.json"),
        ("id {{$.pipeline_job_uuid}} {{$.unknown}}", "id u-1 {{$.unknown}}"),
        ("{{$.workspace_path}}/a /kfp-workspace/b", "/work space/a /work space/b"),
    ],
)
def test_placeholders(text, wanted):
    assert placeholders.word(text, INPUT, FACTS) == wanted


def test_malformed_structured_placeholder_raises_task_error():
    with pytest.raises(TaskError, match=r'^its argument {"Concat": 1} is not a Concat or IfPresent placeholder'):
        placeholders.words(['{"Concat": 1}'], INPUT, FACTS)


def declared(kind, **more):
    message = pipeline_spec_pb2.ComponentInputsSpec.ParameterSpec()
    return json_format.ParseDict({"parameterType": kind, **more}, message)


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("STRING", 2.0, "2"),
        ("STRING", [True, {"é": 1.5}], '[true, {"é": 1.5}]'),
        ("NUMBER_INTEGER", 2.0, 2),
        ("NUMBER_DOUBLE", 2, 2.0),
        ("LIST", [1.0, "1"], [1, "1"]),
        ("STRUCT", {"a": {"b": 1.0}}, {"a": {"b": 1}}),
        ("BOOLEAN", False, False),
    ],
)
def test_parameter_is_converted_as_in_kubeflow(kind, value, wanted):
    found = typed("p", value, declared(kind))
    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("NUMBER_INTEGER", True, "its input 'p' must be a number, and is true"),
        ("BOOLEAN", 1, "its input 'p' must be true or false, and is 1"),
        ("NUMBER_INTEGER", "é", "its input 'p' must be a number, and is \"é\""),
        ("LIST", {"a": 1}, "its input 'p' must be a list, and is {\"a\": 1}"),
        ("STRUCT", [1], "its input 'p' must be an object, and is [1]"),
    ],
)
def test_parameter_of_wrong_type_raises_task_error(kind, value, said):
    with pytest.raises(TaskError) as raised:
        typed("p", value, declared(kind))
    assert str(raised.value) == said


def test_parameter_must_be_one_of_its_literals():
    limits = declared("STRING", literals=["red", "blue"])
    assert typed("p", "red", limits) == "red"
    with pytest.raises(TaskError, match=r"must be one of \[\"red\", \"blue\"\], and is \"green\"$"):
        typed("p", "green", limits)
