"""The values passed between the tasks of a run: parameters as JSON values, and artifacts, always in lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

_TYPES: Final = pipeline_spec_pb2.ParameterType
_WANTED: Final[dict[int, tuple[str, tuple[type, ...]]]] = {
    _TYPES.NUMBER_INTEGER: ("a number", (int, float)),
    _TYPES.NUMBER_DOUBLE: ("a number", (int, float)),
    _TYPES.BOOLEAN: ("true or false", (bool,)),
    _TYPES.LIST: ("a list", (list,)),
    _TYPES.STRUCT: ("an object", (dict,)),
}


class TaskError(Exception):
    """A task cannot run or its results cannot be read; the text is a sentence that begins with "it" or "its"."""


class Collected(list[Any]):
    """The values from the iterations of a loop. If an outer loop collects them again, they form one flat list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact.

    Attributes:
        type: its schema's title, such as `system.Dataset`.
        uri: a path on this machine, or a URI of another server.
        metadata: JSON values.
    """

    name: str
    type: str
    version: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns the JSON form that components read."""
        kind = {"schemaTitle": self.type, "schemaVersion": self.version}
        return {"name": self.name, "type": kind, "uri": self.uri, "metadata": dict(self.metadata)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The inputs or the outputs of a task, by name."""

    parameters: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, list[Artifact]] = field(default_factory=dict)


def python_value(message: Any) -> Any:
    """Converts a protobuf Value to Python; whole numbers become int, as Kubeflow writes them."""
    return whole(json_format.MessageToDict(message))


def whole(value: Any) -> Any:
    """Converts 1.0 to 1, also inside lists and objects, because protobuf has only one type of number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    return {name: whole(item) for name, item in value.items()} if isinstance(value, dict) else value


def text_of(value: Any) -> str:
    """Returns a parameter as text: text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(whole(value), ensure_ascii=False)


def typed(name: str, value: Any, declared: Any) -> Any:
    """Converts a parameter to its declared type, like Kubeflow's driver.

    Args:
        name: for messages.
        value: a JSON value.
        declared: a ParameterSpec message.

    Raises:
        TaskError: it has another type, or is not one of the allowed values.
    """
    kind = declared.parameter_type
    if kind == _TYPES.STRING:
        value = text_of(value)
    wanted, classes = _WANTED.get(kind, ("", ()))
    # In Python, True is a number.
    is_misplaced = wanted and isinstance(value, bool) and kind != _TYPES.BOOLEAN
    if is_misplaced or (classes and not isinstance(value, classes)):
        raise TaskError(f"its input {name!r} must be {wanted}, and is {_short(value)}{_hint(value, classes)}")
    allowed = [python_value(item) for item in declared.literals]
    if allowed and value not in allowed:
        raise TaskError(f"its input {name!r} must be one of {_short(allowed)}, and is {_short(value)}")
    return float(value) if kind == _TYPES.NUMBER_DOUBLE else whole(value)


def _hint(value: Any, classes: tuple[type, ...]) -> str:
    """Returns advice for text that would be valid if it were parsed as JSON; "" for any other value."""
    with suppress(TypeError, ValueError):
        if isinstance(json.loads(value), classes):
            return ": items of a list without an item type are text, so declare list[int] or the like"
    return ""


def _short(value: Any) -> str:
    return f"{json.dumps(value, default=str, ensure_ascii=False):.100}"
