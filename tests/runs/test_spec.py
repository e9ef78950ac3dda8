"""Read a pipeline's spec."""

from __future__ import annotations

import pytest

from apps.runs.entities import StepKind
from apps.runs.gateway import spec
from tests.runs.specs import SPEC


def test_parameters_have_kinds_defaults_and_descriptions():
    found = {item.name: item for item in spec.parameters(SPEC)}
    assert [found[name].kind for name in ("rounds", "rate", "balanced", "model", "columns", "options")] == [
        "integer", "number", "boolean", "string", "list", "struct",
    ]  # fmt: skip
    assert found["rounds"].default == 3
    assert found["rounds"].description == "How often."
    assert found["label"].is_required
    assert not found["options"].is_required
    assert not found["model"].is_required


def test_integral_default_of_an_integer_is_an_int():
    body = {
        "root": {"inputDefinitions": {"parameters": {"n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0}}}}
    }
    assert str(spec.parameters(body)[0].default) == "3"


def test_tasks_come_after_their_dependencies():
    tasks = spec.tasks(SPEC, spec.root_component(SPEC))
    names = [task.name for task in tasks]
    assert names.index("read-data") < names.index("train") < names.index("evaluate")
    by_name = {task.name: task for task in tasks}
    assert by_name["train"].depends_on == ("read-data",)
    assert by_name["for-loop-1"].kind is StepKind.LOOP
    assert by_name["condition-1"].kind is StepKind.CONDITION
    assert by_name["labels"].kind is StepKind.IMPORTER
    assert by_name["train"].image == "python:3.11"


def test_spec_is_unwrapped():
    assert spec.unwrap({"pipeline_spec": SPEC, "platform_spec": {}}) is SPEC
    assert spec.unwrap(SPEC) is SPEC


@pytest.mark.parametrize("broken", [None, "text", [], {}, {"root": None}, {"root": {"dag": {"tasks": [1]}}}])
def test_invalid_spec_has_no_tasks(broken):
    body = spec.unwrap(broken)
    assert spec.tasks(body, spec.root_component(body)) == ()
    assert spec.parameters(body) == ()


def test_cyclic_tasks_are_listed():
    dag = {"tasks": {"a": {"dependentTasks": ["b"]}, "b": {"dependentTasks": ["a"]}}}
    assert {task.name for task in spec.tasks({}, {"dag": dag})} == {"a", "b"}


def test_parameters_of_an_argo_workflow_are_read():
    body = {"kind": "Workflow", "spec": {"arguments": {"parameters": [{"name": "x", "value": "1"}, {"name": "y"}]}}}
    first, second = spec.parameters(body)
    assert (first.name, first.default, first.is_required) == ("x", "1", False)
    assert second.is_required
