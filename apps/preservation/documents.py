"""Converts a run to a compressed document and back. Its form is that of the entities, whose fields have defaults."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from pydantic import TypeAdapter

from apps.runs.entities import RunDetails
from apps.runs.gateway.spec import effective_parameters

_adapter: Final = TypeAdapter(RunDetails)
# Documents are written only here; this limit merely guards against a damaged row.
_MOST_BYTES: Final = 256 * 1024**2


def run_write(details: RunDetails, most_bytes: int) -> tuple[bytes, str]:
    """Returns a run as a document of limited size, and a sentence about what was left out; b"" if it is too large.

    The spec is left out, because the steps already say what was run.
    """
    # Only the spec has the parameters' defaults.
    run = replace(details.run, parameters=effective_parameters(details.run), spec={})
    whole = replace(details, run=run)
    for shown, said in (
        (whole, ""),
        (_without_values(whole), "Metadata of artifacts, inputs and outputs were too large to be kept."),
    ):
        values = _adapter.dump_python(shown, exclude_defaults=True)
        # Python's JSON keeps NaN and infinity, which metrics may contain. Escapes keep lone surrogates, which UTF-8
        # cannot.
        document = zlib.compress(json.dumps(values, default=_plain).encode())
        if len(document) <= most_bytes:
            return document, said
    return b"", "The run was too large to be kept."


def _plain(value: Any) -> Any:
    """Returns a value in JSON: times in ISO 8601, states by their values."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value)


def _without_values(details: RunDetails) -> RunDetails:
    steps = (
        replace(
            step, inputs={}, outputs={}, artifacts=tuple(replace(artifact, metadata={}) for artifact in step.artifacts)
        )
        for step in details.steps
    )
    return replace(details, steps=tuple(steps))


def run_read(document: bytes) -> RunDetails:
    """Returns the run in a document.

    Raises:
        ValueError: the document is invalid.
    """
    return _adapter.validate_python(json.loads(_unpacked(document)))


def log_write(text: str, most_bytes: int) -> tuple[bytes, bool]:
    """Returns a log as a document of limited size, and whether only its last lines fitted."""
    document, is_cut = zlib.compress(text.encode(errors="replace")), False
    while len(document) > most_bytes and text:
        # Drop the first half, up to a line break.
        text, is_cut = text[len(text) // 2 :].partition("\n")[2], True
        document = zlib.compress(text.encode(errors="replace"))
    return document, is_cut


def log_read(document: bytes) -> str:
    """Returns the log in a document."""
    return _unpacked(document).decode()


def _unpacked(document: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(document, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError("The document is damaged.") from error
    if not unpacker.eof:
        raise ValueError("The document is damaged.")
    return text
