"""Parses Kubeflow's requests and translates them. Uses neither the database nor the network.

The rules are those of Kubeflow's `backend/src/apiserver/visualization` (server.py, types/*.py) and of its
visualization_server.go: a form with `type`, `source`, and `arguments`, which is JSON as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from vizkit.types import arguments as catalogue_arguments
from vizkit.types.entities import CUSTOM_KEY

from apps.visualizations.api.bodies import check_texts
from apps.visualizations.exceptions import InvalidRequestError, VisualizationsError

MAX_BODY_BYTES: Final = 1024**2
_MAX_FIELDS: Final = 20
_MAX_TYPE_CHARS: Final = 100
_KNOWN_FIELDS: Final = frozenset({"type", "source", "arguments"})
# Numeric values of Kubeflow's Visualization.Type; protobuf's JSON may contain names or numbers.
# Source: kubeflow/pipelines, backend/api/v1beta1/visualization.proto.
_TYPE_NUMBERS: Final = ("ROC_CURVE", "TFDV", "TFMA", "TABLE", "CUSTOM")
# https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests: at most 8 digits, then a unit.
_GRPC_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])", re.ASCII)
_UNIT_S: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_PLAIN_TIMEOUT: Final = re.compile(r"[0-9]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeflowRequest:
    """A parsed request, not validated against its type.

    Attributes:
        code: custom code; "" for all other types.
        timeout_s: seconds that the request's header allows in total; None without a header.
    """

    type_key: str
    source: str
    arguments: Mapping[str, Any]
    code: str = ""
    timeout_s: float | None = None


def form_read(body: bytes, headers: Mapping[str, str]) -> KubeflowRequest:
    """Parses the form that Kubeflow's API server posts.

    Raises:
        InvalidRequestError: the form is invalid; the message says why.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequestError("Send a form: Content-Type: application/x-www-form-urlencoded.")
    fields = _fields(body)
    return request_make(
        fields.get("type", ""),
        fields.get("source", ""),
        fields.get("arguments", ""),
        timeout_s=timeout_read(headers),
    )


def request_make(type_key: Any, source: Any, arguments_text: Any, *, timeout_s: float | None = None) -> KubeflowRequest:
    """Builds a request from the three values that both forms of the protocol have.

    Raises:
        InvalidRequestError: a value is invalid; the message says why.
    """
    key = _type_key(type_key)
    if not isinstance(source, str) or not isinstance(arguments_text, str):
        raise InvalidRequestError("`source` and `arguments` must be strings; `arguments` holds JSON.")
    try:
        values = catalogue_arguments.parse(arguments_text)
    except catalogue_arguments.ArgumentsError as error:
        raise InvalidRequestError(f"Invalid JSON provided as arguments: {error}") from None
    try:
        check_texts(values, source)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
    code = _take_code(key, values)
    return KubeflowRequest(
        type_key=key, source=source, arguments=_own_words(key, values), code=code, timeout_s=timeout_s
    )


def timeout_read(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds that the request's headers allow; None without such a header.

    `TimeoutValue`, in seconds, is from Kubeflow's README; `Grpc-Timeout` is what its gateway reads.

    Raises:
        InvalidRequestError: the header has a wrong format, or is zero.
    """
    plain, grpc = headers.get("timeoutvalue"), headers.get("grpc-timeout")
    if plain is None and grpc is None:
        return None
    seconds = 0.0
    if plain is not None and _PLAIN_TIMEOUT.fullmatch(plain.strip()):
        seconds = float(plain)
    elif plain is None and grpc is not None and (match := _GRPC_TIMEOUT.fullmatch(grpc.strip())):
        seconds = int(match[1]) * _UNIT_S[match[2]]
    if seconds <= 0:
        raise InvalidRequestError(
            "The time-out header must be a positive number of at most 8 digits: TimeoutValue in seconds, "
            "or Grpc-Timeout with a unit such as 30S."
        )
    return seconds


def refusal_words(error: VisualizationsError) -> str:
    """Returns an error's message, with the messages of its fields."""
    fields = error.fields if isinstance(error, InvalidRequestError) else {}
    more = [f"{name}: {text}" for name, text in fields.items() if text != str(error)]
    return "\n".join([str(error), *more])


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise InvalidRequestError("The form is not UTF-8.") from None
    except ValueError:
        raise InvalidRequestError(f"The form has more than {_MAX_FIELDS} fields.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name not in _KNOWN_FIELDS:
            raise InvalidRequestError(f"The form has a field {name[:40]!r}; it may have type, source and arguments.")
        if name in fields:
            raise InvalidRequestError(f"The form has more than one `{name}`.")
        fields[name] = value
    return fields


def _type_key(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_TYPE_NUMBERS):
        value = _TYPE_NUMBERS[value]
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequestError("No type provided.")
    return value.strip().lower()[:_MAX_TYPE_CHARS]


def _take_code(key: str, values: dict[str, Any]) -> str:
    if "code" not in values:
        return ""
    code = values.pop("code")
    if key != CUSTOM_KEY:
        raise InvalidRequestError("Only CUSTOM takes `code` among its arguments.")
    if isinstance(code, str):
        return code
    if isinstance(code, list) and all(isinstance(line, str) for line in code):
        return "\n".join(code)
    raise InvalidRequestError("`code` must be a list of lines.")


def _own_words(key: str, values: dict[str, Any]) -> dict[str, Any]:
    """Translates Kubeflow's arguments of a type into the portal's; those of other types stay as they are."""
    return _roc_curve(values) if key == "roc_curve" else values


def _roc_curve(values: dict[str, Any]) -> dict[str, Any]:
    given = dict(values)
    # Kubeflow evaluates it as Python. Kubeflow's form sends an empty one if nothing was entered.
    if given.pop("target_lambda", None):
        raise InvalidRequestError(
            "`target_lambda` is code and is not evaluated here. Use target_column, target_operator and trueclass "
            "(such as tips, >, 5), or CUSTOM."
        )
    if isinstance(given.get("trueclass"), bool | int | float):
        # Kubeflow compares with any value, the portal with its text.
        given["trueclass"] = json.dumps(given["trueclass"])
    return given
