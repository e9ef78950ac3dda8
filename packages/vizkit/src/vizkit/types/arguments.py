"""Arguments against a type's schema: defaults filled in, everything else refused with the field's name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import jsonschema

MAX_DEPTH: Final = 12
MAX_BYTES: Final = 256 * 1024


class ArgumentsError(ValueError):
    """Arguments do not fit.

    Attributes:
        fields: a sentence by argument name; "" as the name is for the arguments as a whole.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" if name else text for name, text in fields.items()))
        self.fields = dict(fields)


def parse(text: str) -> dict[str, Any]:
    """Reads arguments written as JSON; an empty text is no arguments.

    Raises:
        ArgumentsError: no JSON, no object, too large, too deep, NaN or infinite.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ArgumentsError({"": f"The arguments are larger than {MAX_BYTES // 1024} KiB."})
    if not text.strip():
        return {}
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ArgumentsError({"": "The arguments are nested too deeply."}) from None
    except ArgumentsError:
        raise
    except ValueError as error:
        raise ArgumentsError({"": f"The arguments are not JSON: {error}."}) from None
    if not isinstance(values, dict):
        raise ArgumentsError({"": 'The arguments must be a JSON object, such as {"headers": true}.'})
    return values


def clean(schema: Mapping[str, Any], values: Any) -> dict[str, Any]:
    """Returns the arguments with defaults filled in.

    Args:
        schema: a type's `schema`.
        values: JSON values by name; None counts as not given.

    Raises:
        ArgumentsError: a name the type does not know, a missing or wrong value, NaN, infinity, too deep or too large.
    """
    if not isinstance(values, Mapping):
        raise ArgumentsError({"": "The arguments must be a JSON object."})
    fields = {name: text for name, value in values.items() if (text := _check_value(value))}
    if not fields:
        fields = _validate(schema, values)
    if fields:
        raise ArgumentsError(fields)
    given = {name: value for name, value in values.items() if value is not None}
    if len(json.dumps(given)) > MAX_BYTES:
        raise ArgumentsError({"": f"The arguments are larger than {MAX_BYTES // 1024} KiB."})
    defaults = {name: rule["default"] for name, rule in schema["properties"].items() if "default" in rule}
    return {**defaults, **given}


def _validate(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    given = {name: value for name, value in values.items() if value is not None}
    known = schema["properties"]
    fields: dict[str, str] = {}
    for error in jsonschema.Draft202012Validator(dict(schema)).iter_errors(given):
        if error.validator == "additionalProperties":
            names = ", ".join(known) or "none"
            fields |= {name: f"This type has no such argument. It has: {names}." for name in given if name not in known}
        elif error.validator == "required":
            missing = [name for name in schema["required"] if name not in given]
            fields |= dict.fromkeys(missing, "This argument is required.")
        else:
            fields.setdefault(str(error.absolute_path[0]) if error.absolute_path else "", _say(error))
    return fields


def _say(error: jsonschema.ValidationError) -> str:
    value = json.dumps(error.instance)[:80]
    allowed: Any = error.validator_value
    if error.validator == "type":
        return f"Must be of type {allowed}, not {value}."
    if error.validator == "enum":
        return f"Must be one of {', '.join(map(str, allowed))}, not {value}."
    return f"{error.message[:200]}."


def _check_value(value: Any, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        return "Nested too deeply."
    if isinstance(value, float) and not math.isfinite(value):
        return "Must be a finite number."
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63:
        return "The number is too large."
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((text for part in parts if (text := _check_value(part, depth + 1))), "")


def _refuse_constant(name: str) -> None:
    raise ArgumentsError({"": f"{name} is not a JSON number."})
