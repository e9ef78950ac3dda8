"""Files of proposed types: parsed like every type's file, with narrower rules for what people may propose."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import jsonschema
from vizkit.types.entities import CUSTOM_KEY, VisualizationType
from vizkit.types.header import TypeFileError, digest, read_type
from vizkit.types.inline_metadata import InlineMetadataError, read_inline_metadata

from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.services.code import MAX_CODE_CHARS

MOST_LINES: Final = 5000
MOST_ARGUMENTS: Final = 40
MOST_HEADER_CHARS: Final = 20_000
_MOST_BLOCKS: Final = 10
_VERSION_CHARS: Final = 16
_FILE: Final = Path("proposal.py")
# No real file name looks like all of these: a pattern that matches two of them says nothing about the data.
_ANY_NAMES: Final = ("q", "0zkwy.j7x", "~vv-hh.w9z_", "xjqz/yyy")
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 500}
_VALUE_NAMES: Final = ("string", "integer", "number", "boolean", "array")
_KIND: Final[dict[str, Any]] = {"enum": list(_VALUE_NAMES)}
_NUMBER: Final[dict[str, Any]] = {"type": "number"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_LITERALS: Final[dict[str, Any]] = {"type": "array", "minItems": 1, "maxItems": 200}
_LIMITS: Final[dict[str, Any]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
}
# No `pattern`, whose expression could take forever, and no `$ref`, which could be fetched from elsewhere.
_ARGUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"anyOf": [_KIND, {"type": "array", "items": _KIND, "minItems": 1, "maxItems": 5}]},
        "title": {"type": "string", "maxLength": 80},
        "description": _TEXT,
        "default": {},
        "examples": {**_LITERALS, "maxItems": 10},
        "enum": _LITERALS,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"type": {"const": "string"}, "enum": _LITERALS, "maxLength": _COUNT},
        },
        **_LIMITS,
    },
}
_LIST: Final[dict[str, Any]] = {"type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 100}}
_HEADER: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        # These have the same rules as in every type's header.
        **{name: {} for name in ("key", "title", "description", "environment", "needs_source", "reads_tables")},
        "figures": {},
        "artifact_types": _LIST,
        "patterns": _LIST,
        "required": {"type": "array"},
        "arguments": {
            "type": "object",
            "maxProperties": MOST_ARGUMENTS,
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,39}$"},
            "additionalProperties": _ARGUMENT,
        },
    },
}


class UnfitFileError(InvalidRequestError):
    """A file cannot be proposed; `fields` names the affected parts of the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDraft:
    """The parts of a type's file.

    Attributes:
        arguments: JSON Schemas by name, in the order of the form.
        figures: as in the header.
        code: without the header.
    """

    key: str
    title: str
    description: str
    environment: str = "base"
    artifact_types: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    needs_source: bool = True
    reads_tables: bool = False
    required: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


def file_read(text: str, *, version: str = "") -> VisualizationType:
    """Returns the type that a file's text describes.

    Args:
        version: the type's version; "" for the file's digest.

    Raises:
        UnfitFileError: the file is too large, has no valid header, or uses features that people may not propose.
    """
    _size_check(text)
    try:
        # First, so that no regular expression or reference of the schema is evaluated.
        _header_check(_header_of(text))
        kind = read_type(_FILE, text)
    except TypeFileError as error:
        raise UnfitFileError.at("file", str(error).removeprefix(f"{_FILE.name}: ")) from error
    _rules_check(kind)
    return replace(kind, path=None, version=version or kind.version)


def version_name(number: int, text: str) -> str:
    """Returns the version that renders record for the type: the approved version's number and the file's digest."""
    return f"v{number}-{digest(text)}"[:_VERSION_CHARS]


def version_number(name: str) -> int | None:
    """Returns the approved version's number in a type's version; None for a type with a file on the server."""
    found = re.match(r"v(\d{1,9})-", name)
    return int(found[1]) if found else None


def draft_of(text: str) -> TypeDraft:
    """Returns the parts of a valid file."""
    kind = file_read(text)
    tool = _header_of(text)
    return TypeDraft(
        key=kind.key,
        title=kind.title,
        description=kind.description,
        environment=kind.environment,
        artifact_types=kind.artifact_types,
        patterns=kind.patterns,
        needs_source=kind.needs_source,
        reads_tables=bool(tool.get("reads_tables")),
        required=tuple(tool.get("required", ())),
        arguments=tool.get("arguments", {}),
        figures=tool.get("figures", {}),
        code=kind.code,
    )


def file_write(draft: TypeDraft) -> str:
    """Returns the file made of these parts, unvalidated."""
    lines = [f"{name} = {_toml(getattr(draft, name))}" for name in ("key", "title", "description", "environment")]
    lines += [f"{name} = {_toml(list(getattr(draft, name)))}" for name in ("artifact_types", "patterns", "required")]
    lines += [] if draft.needs_source else ["needs_source = false"]
    lines += ["reads_tables = true"] if draft.reads_tables else []
    for table in ("arguments", "figures"):
        for name, rule in getattr(draft, table).items():
            lines += ["", f"[tool.vizportal.{table}.{_toml_key(name)}]"]
            lines += [f"{_toml_key(key)} = {_toml(value)}" for key, value in rule.items() if value is not None]
    header = "\n".join(f"# {line}".rstrip() for line in lines)
    code = draft.code.replace("\r\n", "\n").strip("\n")
    return f"# /// script\n# dependencies = []\n# [tool.vizportal]\n{header}\n# ///\n{code}\n"


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    """Returns a JSON value as TOML on one line."""
    if isinstance(value, Mapping):
        parts = (f"{_toml_key(str(key))} = {_toml(part)}" for key, part in value.items() if part is not None)
        return f"{{ {', '.join(parts)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    # Strings are written as in JSON, except for a character that JSON allows unescaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _size_check(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitFileError.at("code", "The code contains characters that are not text.") from None
    if len(text) > MAX_CODE_CHARS or text.count("\n") > MOST_LINES or "\0" in text:
        words = f"A type's file has at most {MAX_CODE_CHARS:,} characters and {MOST_LINES:,} lines, and no NUL."
        raise UnfitFileError.at("code", words)
    # The header's regular expression retries at each line that may begin a block.
    if len(re.findall(r"(?m)^# /// ", text)) > _MOST_BLOCKS:
        raise UnfitFileError.at("code", "The code has too many lines that begin with `# ///`, which marks a header.")


def _header_of(text: str) -> dict[str, Any]:
    try:
        metadata = read_inline_metadata(text)
    except InlineMetadataError as error:
        raise UnfitFileError.at("file", f"{error}.") from error
    if metadata is None:
        raise UnfitFileError.at("file", "The file has no `# /// script` header.")
    if metadata.end > MOST_HEADER_CHARS:
        raise UnfitFileError.at("file", f"The header must end within the first {MOST_HEADER_CHARS:,} characters.")
    tools = metadata.values.get("tool")
    tool = tools.get("vizportal") if isinstance(tools, dict) else None
    if not isinstance(tool, dict):
        raise UnfitFileError.at("file", "The header has no [tool.vizportal] table.")
    try:
        # TOML has dates and NaN, which the API could not return as JSON.
        json.dumps(tool, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UnfitFileError.at(
            "arguments", "Values must be texts, finite numbers, true, false, or lists of those."
        ) from None
    return tool


def _header_check(tool: Mapping[str, Any]) -> None:
    error = next(iter(jsonschema.Draft202012Validator(_HEADER).iter_errors(tool)), None)
    if error is None:
        return
    place = [str(part) for part in error.absolute_path]
    where = place[0] if place and place[0] in _HEADER["properties"] else "file"
    raise UnfitFileError.at(where, f"{'.'.join(place) or 'The header'}: {error.message[:300]}")


def _rules_check(kind: VisualizationType) -> None:
    if kind.key == CUSTOM_KEY:
        raise UnfitFileError.at("key", f"The key {CUSTOM_KEY!r} is for a person's own code.")
    if not kind.code.strip():
        raise UnfitFileError.at("code", "Write the Python code to run.")
    for pattern in kind.patterns:
        if sum(fnmatchcase(name, pattern) for name in _ANY_NAMES) > 1:
            raise UnfitFileError.at(
                "patterns", f"The pattern {pattern!r} matches nearly every file. Use a file extension or a word."
            )
    rules = kind.schema["properties"]
    unknown = [name for name in kind.schema["required"] if name not in rules]
    if unknown:
        raise UnfitFileError.at("required", f"There is no argument {unknown[0]!r}.")
    for name, rule in rules.items():
        if "default" in rule and not jsonschema.Draft202012Validator(rule).is_valid(rule["default"]):
            raise UnfitFileError.at("arguments", f"{name}: the default does not match the argument's schema.")
