"""An answer of the REST API as it came, read by attributes as the generated models are.

The generated models take half a millisecond a row to build, and refuse rows with a word they do not know. A list of a
thousand runs took half a second, of which the network was a hundredth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# What holds people's own JSON is handed on as it is.
_FREE: Final = frozenset({"pipeline_spec", "platform_spec", "parameters", "plugins_input", "metadata", "value"})


class Row:
    """One JSON object; what it does not have reads as None.

    Names are the API's own, in snake case; protobuf's JSON may spell a field in camel case, which is found too.
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
        return f"Row({dict(self._values)!r})"


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Row(value)
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def row_of(answer: Any) -> Row:
    """Returns a whole answer.

    Raises:
        TypeError: it is JSON, but no object.
    """
    if not isinstance(answer, dict):
        raise TypeError(f"a {type(answer).__name__} where an object was expected")
    return Row(answer)


def text(value: Any) -> str:
    """Returns a value that should be text; "" for anything else."""
    return value if isinstance(value, str) else ""


def record(value: Any) -> Row:
    """Returns a value that should be an object; an empty one for anything else."""
    return value if isinstance(value, Row) else _NOTHING


def records(value: Any) -> list[Row]:
    """Returns the objects of a value that should be a list of them."""
    return [item for item in value if isinstance(item, Row)] if isinstance(value, list) else []


_NOTHING: Final = Row({})
