"""Reading a type's file: the PEP 723 block at its top, and the code below it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema

from apps.visualizations.catalogue.entities import CUSTOM_KEY, VisualizationType

# The reference implementation's expression: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
_BLOCK: Final = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
_MAX_FILE_BYTES: Final = 1024**2

_ARGUMENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["string", "integer", "number", "boolean", "array"]},
        "title": {"type": "string"},
        "description": {"type": "string"},
    },
}
_TOOL_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["key", "title", "description"],
    "additionalProperties": False,
    "properties": {
        "key": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
        "title": {"type": "string", "minLength": 1, "maxLength": 80},
        "description": {"type": "string", "minLength": 1, "maxLength": 400},
        "environment": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        "kernel": {"type": "string", "pattern": "^[A-Za-z0-9._-]{0,60}$"},
        "needs_source": {"type": "boolean"},
        "artifact_types": {"type": "array", "items": {"type": "string"}},
        "patterns": {"type": "array", "items": {"type": "string"}},
        "required": {"type": "array", "items": {"type": "string"}},
        "arguments": {"type": "object", "additionalProperties": _ARGUMENT_SCHEMA},
    },
}


class TypeFileError(Exception):
    """A file is no valid type; the text names the file and what is wrong."""


def read_type(path: Path) -> VisualizationType:
    """Reads one type.

    Raises:
        TypeFileError: unreadable, too large, no PEP 723 block, invalid TOML, or a header that breaks the rules.
    """
    text = _read_text(path)
    tool, body = _split_header(path, text)
    _check(path, tool)
    arguments = tool.get("arguments", {})
    schema = {
        "type": "object",
        "properties": arguments,
        "required": tool.get("required", []),
        "additionalProperties": False,
    }
    if tool["key"] == CUSTOM_KEY:
        # What a person's own code reads from `variables` is the person's business.
        schema["additionalProperties"] = True
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise TypeFileError(f"{path.name}: arguments are no valid JSON Schema: {error.message}") from error
    return VisualizationType(
        key=tool["key"],
        title=tool["title"],
        description=tool["description"],
        environment=tool.get("environment", "base"),
        artifact_types=tuple(tool.get("artifact_types", ())),
        patterns=tuple(pattern.lower() for pattern in tool.get("patterns", ())),
        schema=schema,
        code=body,
        version=hashlib.sha256(text.encode()).hexdigest()[:16],
        path=path,
        needs_source=tool.get("needs_source", True),
        kernel=tool.get("kernel", ""),
    )


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise TypeFileError(f"{path.name}: larger than {_MAX_FILE_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TypeFileError(f"{path.name}: cannot be read: {error}") from error


def _split_header(path: Path, text: str) -> tuple[dict[str, Any], str]:
    blocks = [match for match in _BLOCK.finditer(text) if match["type"] == "script"]
    if len(blocks) != 1:
        raise TypeFileError(f"{path.name}: needs exactly one `# /// script` block (PEP 723), found {len(blocks)}")
    lines = blocks[0]["content"].splitlines()
    content = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        metadata = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise TypeFileError(f"{path.name}: the header is no valid TOML: {error}") from error
    tool = metadata.get("tool", {}).get("vizportal")
    if not isinstance(tool, dict):
        raise TypeFileError(f"{path.name}: the header has no [tool.vizportal] table")
    return tool, text[blocks[0].end() :].lstrip("\n")


def _check(path: Path, tool: dict[str, Any]) -> None:
    error = next(iter(jsonschema.Draft202012Validator(_TOOL_SCHEMA).iter_errors(tool)), None)
    if error is not None:
        place = "".join(f".{part}" for part in error.absolute_path)
        raise TypeFileError(f"{path.name}: [tool.vizportal]{place}: {error.message}")
