"""The protocol buffers of TensorFlow Metadata: parses the type that is wanted, and identifies files of another type."""

from __future__ import annotations

import codecs
import re
from typing import Any, Final, Literal

from ..records import is_tfrecord, records

Kind = Literal["statistics", "schema", "anomalies"]

_SHOWN_BY: Final[dict[Kind, str]] = {
    "statistics": "Data statistics (TFDV)",
    "schema": "Data schema (TFDV)",
    "anomalies": "Data anomalies (TFDV)",
}
# The share of the bytes that a message must recognize to be of that type; newer versions have unknown fields.
_NEARLY_ALL: Final = 0.98
_MOST: Final = 0.8
_CALLED: Final[dict[Kind, str]] = {"statistics": "statistics", "schema": "a schema", "anomalies": "anomalies"}


def steps_of(path: Any) -> list[str]:
    """Returns the names in a message of the type Path. Names that are not UTF-8 are bytes."""
    return [step.decode("utf-8", "replace") if isinstance(step, bytes) else step for step in path.step]


def new(kind: Kind) -> Any:
    """Returns an empty message."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

    if kind == "statistics":
        return statistics_pb2.DatasetFeatureStatisticsList()
    return schema_pb2.Schema() if kind == "schema" else anomalies_pb2.Anomalies()


def parse(content: bytes, kind: Kind, name: str) -> Any:
    """Parses a message from its text or binary form.

    Raises:
        ValueError: the content is empty, or no such message; the text says what it is instead.
    """
    if not content.strip():
        raise ValueError(f"{name} is empty: it holds no {kind}, and says nothing about the data.")
    content = content.removeprefix(codecs.BOM_UTF8)
    text = _text_of(content)
    found = _from_text(text, kind, name) if text else _from_binary(content, kind, name)
    if not found.ListFields():
        raise ValueError(f"{name} holds no {kind}.")
    return found


def _text_of(content: bytes) -> str:
    """Returns content that is a message's text form; "" for a binary one, which may happen to be valid UTF-8."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if not content.startswith(b"\x0a") and re.match(r"\s*(?:#|[a-z_]+\s*[:{<])", text) else ""


def _from_text(text: str, kind: Kind, name: str) -> Any:
    from google.protobuf import text_format

    fitting = []
    for each in (kind, *(other for other in _SHOWN_BY if other != kind)):
        try:
            found = text_format.Parse(text, new(each))
        except text_format.ParseError:
            continue
        if each == kind:
            return found
        fitting.append(each)
    if fitting:
        raise _another(name, kind, fitting[0])
    try:
        # Newer versions have unknown fields.
        return text_format.Parse(text, new(kind), allow_unknown_field=True)
    except text_format.ParseError as error:
        line = f"line {error.GetLine()}" if error.GetLine() else "its end"
        raise ValueError(f"{name} begins as the text of a message and cannot be read at {line}: no {kind}.") from None


def _from_binary(content: bytes, kind: Kind, name: str) -> Any:
    """Parses a binary message. Any message parses as any type; the one that recognizes most of the bytes is right."""
    from google.protobuf.message import DecodeError

    known: dict[Kind, int] = {}
    messages = {each: new(each) for each in _SHOWN_BY}
    for each, message in messages.items():
        try:
            message.ParseFromString(content)
        except DecodeError:
            continue
        message.DiscardUnknownFields()
        known[each] = message.ByteSize() if _has_names(message, each) else 0
    best = max(known, key=lambda each: (known[each], each == kind), default=kind)
    if best != kind and known[best] >= _NEARLY_ALL * len(content):
        raise _another(name, kind, best)
    if known.get(kind, 0) < _MOST * len(content):
        raise ValueError(f"{name} is {_what(content, name)}, and holds no {kind}.")
    return messages[kind]


def _has_names(message: Any, kind: Kind) -> bool:
    """Whether the names in a message are text, which they are not in a message of another type."""
    if kind == "anomalies":
        return True
    named = message.feature if kind == "schema" else [each for each in message.datasets if each.name]
    return all(isinstance(each.name, str) and each.name.isprintable() and each.name != "" for each in named)


def _what(content: bytes, name: str) -> str:
    """Describes content that is not a message, by its first bytes or its first record."""
    if is_tfrecord(content):
        first = next(records(content, name))
        for kind in _SHOWN_BY:
            try:
                _from_binary(first, kind, name)
            except ValueError:
                continue
            return f"a file of TensorFlow records with {_CALLED[kind]} (the type {_SHOWN_BY[kind]} shows those)"
        return "a file of TensorFlow records, such as examples or events"
    if content.startswith(b"\x0a"):
        return "a damaged protocol buffer, or one of another kind"
    from ..tabular import kinds

    return kinds.named(content)


def _another(name: str, kind: Kind, found: Kind) -> ValueError:
    return ValueError(f"{name} holds {_CALLED[found]}, and no {kind}. The type {_SHOWN_BY[found]} shows it.")
