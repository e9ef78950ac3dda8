"""Reads JSON in which anything may be missing or malformed: answers of the REST API, specs, and users' values.

An answer of the REST API is read by attributes, like the generated models. The models take half a millisecond for each
object, and reject objects with an unknown enum value. A list of a thousand runs took half a second, of which the
network took a hundredth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Contains users' own JSON, which is returned unchanged.
_FREE: Final = frozenset(
    {"pipeline_spec", "platform_spec", "parameters", "plugins_input", "plugins_output", "metadata", "value", "tags"}
)


class JsonObject:
    """One JSON object; missing fields read as None.

    Names are the API's own, in snake case; fields that protobuf's JSON spells in camel case are found too.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = self._values
        value = values[name] if name in values else values.get(_camel(name))
        return value if name in _FREE else _read(value)

    def __repr__(self) -> str:
        return f"JsonObject({dict(self._values)!r})"


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return JsonObject(value)
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def json_object_of(answer: Any) -> JsonObject:
    """Returns a whole answer.

    Raises:
        TypeError: it is JSON but not an object.
    """
    if not isinstance(answer, dict):
        raise TypeError(f"a {type(answer).__name__} where an object was expected")
    return JsonObject(answer)


def text(value: Any) -> str:
    """Returns a value that should be text; "" for anything else."""
    return value if isinstance(value, str) else ""


def json_object(value: Any) -> JsonObject:
    """Returns a value that should be an object; an empty one for anything else."""
    return value if isinstance(value, JsonObject) else _NOTHING


def json_objects(value: Any) -> list[JsonObject]:
    """Returns the objects of a value that should be a list of them."""
    return [item for item in value if isinstance(item, JsonObject)] if isinstance(value, list) else []


_NOTHING: Final = JsonObject({})


def mapping(value: Any) -> Mapping[str, Any]:
    """Returns a value that should be an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Returns the objects of a value that should be a list of them."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def whole(value: Any) -> Any:
    """Returns a JSON value with integral doubles as integers: users wrote integers, but protobuf's Struct has none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value


def whole_number(value: Any) -> int | None:
    """Returns an integer, which protobuf's JSON may write as text; None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
