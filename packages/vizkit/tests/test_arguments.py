import pytest
from vizkit.types import arguments, registry

SCHEMA = {
    "type": "object",
    "properties": {
        "rows": {"type": "integer", "default": 5, "minimum": 1},
        "name": {"type": "string"},
        "how": {"type": "string", "enum": ["a", "b"], "default": "a"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_missing_and_none_values_get_defaults():
    assert arguments.clean(SCHEMA, {"name": "x", "rows": None}) == {"name": "x", "rows": 5, "how": "a"}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, "name", "required"),
        ({"name": 3}, "name", "type string"),
        ({"name": "x", "rows": "5"}, "rows", "type integer"),
        ({"name": "x", "rows": 0}, "rows", "minimum"),
        ({"name": "x", "how": "c"}, "how", "one of a, b"),
        ({"name": "x", "colour": 1}, "colour", "no such argument"),
        ({"name": "x", "rows": float("nan")}, "rows", "finite"),
        ({"name": nested(50)}, "name", "deeply"),
        ({"name": "x", "rows": 10**30}, "rows", "too large"),
        (["name"], "", "object"),
        ({"name": "x" * 300_000}, "", "larger"),
    ],
)
def test_invalid_value_is_refused_at_its_field(values, field, words):
    with pytest.raises(arguments.ArgumentsError) as caught:
        arguments.clean(SCHEMA, values)
    assert words in caught.value.fields[field]


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000, '{"a": "' + "x" * 300_000 + '"}', "null"],
)
def test_invalid_json_object_is_refused(text):
    with pytest.raises(arguments.ArgumentsError):
        arguments.parse(text)


def test_infinite_number_is_refused():
    with pytest.raises(arguments.ArgumentsError, match="finite"):
        arguments.clean(registry.get("custom").schema, arguments.parse('{"a": 1e999}'))
