"""A type's file with a header: the PEP 723 block at its top, and the code below it. And what all readers share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema

from vizkit import TOOLKIT_DIR
from vizkit.key_figures import MAX_UNIT_CHARS
from vizkit.types.entities import CUSTOM_KEY, DeclaredFigure, VisualizationType
from vizkit.types.inline_metadata import InlineMetadataError, read_inline_metadata

_OPENS: Final = re.compile(r"(?m)^# /// script\b")
_MAX_FILE_BYTES: Final = 1024**2
# What types share. It runs with their code in a render, so the catalogue knows it as files only.
# Parts of the package that no type's code imports.
_NOT_TOOLKIT: Final = frozenset({"predefined", "types"})
_USES_TOOLKIT: Final = re.compile(r"(?m)^\s*(?:from|import) vizkit\b")

_ARGUMENT_TYPE: Final[dict[str, Any]] = {"enum": ["string", "integer", "number", "boolean", "array"]}
_ARGUMENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        # Of several, forms offer the first.
        "type": {"anyOf": [_ARGUMENT_TYPE, {"type": "array", "items": _ARGUMENT_TYPE, "minItems": 1}]},
        "title": {"type": "string"},
        "description": {"type": "string"},
    },
}
# What every type that reads tables lets a person say about the file; `vizkit.tabular.How.of` takes them.
TABLE_ARGUMENTS: Final[dict[str, Any]] = {
    "delimiter": {
        "type": "string",
        "maxLength": 1,
        "default": "",
        "title": "Delimiter",
        "description": "For delimited text. Leave empty to detect it (comma, tab, semicolon, bar and others).",
    },
    "header_row": {
        "type": ["string", "boolean"],
        "enum": ["find out", "yes", "no", True, False],
        "default": "find out",
        "title": "First line holds the column names",
        "description": "For delimited text. Without names, columns are column_1, column_2 and so on.",
    },
    "decimal": {
        "type": "string",
        "enum": ["find out", ".", ","],
        "default": "find out",
        "title": "Decimal mark",
        "description": "For numbers in delimited text. The other mark is the thousands separator.",
    },
    # Without a default: a render from before it was there still belongs to the same series.
    "encoding": {
        "type": "string",
        "maxLength": 40,
        "title": "Encoding",
        "description": "For delimited text, such as cp1251. Leave empty to detect Unicode, Windows-1252 or Latin-1.",
    },
}
_FIGURE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "unit": {"type": "string", "maxLength": MAX_UNIT_CHARS},
        "better": {"enum": ["higher", "lower", "none"]},
        "description": {"type": "string", "maxLength": 200},
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
        "reads_tables": {"type": "boolean"},
        "reads_results": {"type": "boolean"},
        "artifact_types": {"type": "array", "items": {"type": "string"}},
        "patterns": {"type": "array", "items": {"type": "string"}},
        "required": {"type": "array", "items": {"type": "string"}},
        "arguments": {"type": "object", "additionalProperties": _ARGUMENT_SCHEMA},
        "figures": {"type": "object", "maxProperties": 64, "additionalProperties": _FIGURE_SCHEMA},
    },
}


class TypeFileError(Exception):
    """A file is no valid type; the text names the file and what is wrong."""


def has_header(text: str) -> bool:
    """Whether a file has, or was meant to have, a header."""
    return bool(_OPENS.search(text))


def read_type(path: Path, text: str) -> VisualizationType:
    """Reads one type.

    Args:
        text: the file's, by `read_text`.

    Raises:
        TypeFileError: no PEP 723 block, invalid TOML, or a header that breaks the rules.
    """
    tool, body = _split_header(path, text)
    check_tool(path, tool)
    is_custom = tool["key"] == CUSTOM_KEY
    # What a person's own code reads from `variables` is the person's business.
    shared = TABLE_ARGUMENTS if tool.get("reads_tables") else {}
    schema = make_schema(path, {**tool.get("arguments", {}), **shared}, tool.get("required", []), is_open=is_custom)
    return make_type(path, tool, schema=schema, code=body, version=digest(text))


def make_schema(
    path: Path, arguments: Mapping[str, Any], required: Sequence[str], *, is_open: bool = False
) -> dict[str, Any]:
    """Returns the JSON Schema of all arguments.

    Args:
        is_open: whether arguments of other names are taken too.

    Raises:
        TypeFileError: the rules are no JSON Schema.
    """
    schema = {
        "type": "object",
        "properties": dict(arguments),
        "required": list(required),
        "additionalProperties": is_open,
    }
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise TypeFileError(f"{path.name}: arguments are not a valid JSON Schema: {error.message}") from error
    return schema


def make_type(
    path: Path, tool: Mapping[str, Any], *, schema: Mapping[str, Any], code: str, version: str
) -> VisualizationType:
    """Returns the type that a header, or what stands for one, describes."""
    return VisualizationType(
        key=tool["key"],
        title=tool["title"],
        description=tool["description"],
        environment=tool.get("environment", "base"),
        artifact_types=tuple(tool.get("artifact_types", ())),
        patterns=tuple(pattern.lower() for pattern in tool.get("patterns", ())),
        schema=schema,
        code=code,
        version=version,
        path=path,
        needs_source=tool.get("needs_source", True),
        reads_results=tool.get("reads_results", False),
        kernel=tool.get("kernel", ""),
        figures=tuple(DeclaredFigure(name=name, **each) for name, each in tool.get("figures", {}).items()),
    )


def digest(text: str) -> str:
    """Returns a type's version, of all that decides what its code does: it changes with the toolkit it imports."""
    parts = [text, _toolkit_digest()] if _USES_TOOLKIT.search(text) else [text]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def _toolkit_digest() -> str:
    whole = hashlib.sha256()
    paths = (path for path in TOOLKIT_DIR.rglob("*") if path.suffix in {".py", ".js", ".css"})
    for path in sorted(path for path in paths if path.relative_to(TOOLKIT_DIR).parts[0] not in _NOT_TOOLKIT):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def read_text(path: Path, max_bytes: int = _MAX_FILE_BYTES) -> str:
    """Returns a file's text.

    Raises:
        TypeFileError: unreadable, too large, or not UTF-8.
    """
    try:
        if path.stat().st_size > max_bytes:
            raise TypeFileError(f"{path.name}: larger than {max_bytes} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TypeFileError(f"{path.name}: cannot be read: {error}") from error


def _split_header(path: Path, text: str) -> tuple[dict[str, Any], str]:
    try:
        metadata = read_inline_metadata(text)
    except InlineMetadataError as error:
        raise TypeFileError(f"{path.name}: {error}") from error
    if metadata is None:
        raise TypeFileError(f"{path.name}: needs exactly one `# /// script` block (PEP 723), found 0")
    tools = metadata.values.get("tool")
    tool = tools.get("vizportal") if isinstance(tools, dict) else None
    if not isinstance(tool, dict):
        raise TypeFileError(f"{path.name}: the header has no [tool.vizportal] table")
    return tool, text[metadata.end :].lstrip("\n")


def check_tool(path: Path, tool: Mapping[str, Any]) -> None:
    """Raises TypeFileError where a header breaks the rules."""
    error = next(iter(jsonschema.Draft202012Validator(_TOOL_SCHEMA).iter_errors(tool)), None)
    if error is not None:
        place = "".join(f".{part}" for part in error.absolute_path)
        raise TypeFileError(f"{path.name}: [tool.vizportal]{place}: {error.message}")
