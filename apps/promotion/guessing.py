"""Guesses a type's parts for a new proposal from a person's code, which is parsed and never run."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vizkit.types.headerless import parse
from vizkit.types.inline_metadata import InlineMetadataError, read_inline_metadata

from apps.promotion.files import MOST_ARGUMENTS, TypeDraft
from apps.visualizations.services.naming import words_of

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_MOST_KEY_CHARS: Final = 40
_MOST_TITLE_CHARS: Final = 80


def draft_guess(
    code: str,
    *,
    environment: str = "base",
    values: Mapping[str, Any] | None = None,
    artifact_type: str = "",
    file_name: str = "",
) -> TypeDraft:
    """Returns a type's parts as the code suggests them.

    Args:
        values: arguments of the sample render, which reveal the types of arguments without a default.
        artifact_type: schema title of the sample's artifact; "" if unknown.
        file_name: file name of the sample's source; "" if unknown.
    """
    title = words_of(code)[:_MOST_TITLE_CHARS]
    arguments, required = arguments_guess(code, values or {})
    ending = file_name.lower().rpartition(".")[2] if "." in file_name else ""
    return TypeDraft(
        key=re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_0123456789")[:_MOST_KEY_CHARS].strip("_"),
        title=title,
        description="",
        environment=environment,
        artifact_types=(artifact_type,) if artifact_type else (),
        patterns=(f"*.{ending}",) if ending.isalnum() else (),
        needs_source=bool(re.search(r"\bsource(_uri)?\b", code)),
        required=required,
        arguments=arguments,
        code=body_of(code),
    )


def body_of(code: str) -> str:
    """Returns code without its PEP 723 header; all of it if there is no valid header."""
    try:
        metadata = read_inline_metadata(code)
    except InlineMetadataError:
        return code
    return code[metadata.end :].lstrip("\n") if metadata else code


def arguments_guess(code: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the arguments that code reads from `variables`, and the names of required ones."""
    found: dict[str, dict[str, Any]] = {}
    needed: set[str] = set()
    for name, is_needed, default in _uses(code):
        if len(found) >= MOST_ARGUMENTS and name not in found:
            continue
        rule = found.setdefault(name, {"title": name.replace("_", " ").strip().capitalize() or name})
        if default is not None:
            rule.setdefault("default", default)
        if is_needed:
            needed.add(name)
    for name, rule in found.items():
        rule.update(_kind_of(rule.get("default", values.get(name))))
    return found, tuple(name for name in found if name in needed and "default" not in found[name])


def _uses(code: str) -> Iterator[tuple[str, bool, Any]]:
    """Yields each use of `variables` in source order: name, whether it is required, default."""
    tree = parse(code)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript | ast.Call)] if tree else []
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        name = _name_of(node)
        if name is not None:
            is_call = isinstance(node, ast.Call)
            default = _literal(node.args[1]) if isinstance(node, ast.Call) and len(node.args) > 1 else None
            yield name, not is_call, default


def _name_of(node: ast.Subscript | ast.Call) -> str | None:
    if isinstance(node, ast.Subscript):
        owner, key = node.value, node.slice
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        owner, key = node.func.value, node.args[0]
    else:
        return None
    is_variables = isinstance(owner, ast.Name) and owner.id == "variables"
    is_text = isinstance(key, ast.Constant) and isinstance(key.value, str) and _NAME.fullmatch(key.value)
    return str(key.value) if is_variables and is_text and isinstance(key, ast.Constant) else None


def _literal(node: ast.expr) -> Any:
    """Returns a literal that a header can contain; None for everything else."""
    try:
        value = ast.literal_eval(node)
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if isinstance(value, list | tuple):
        return [str(part) for part in value] if all(isinstance(part, str) for part in value) else None
    is_plain = isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else None


def _kind_of(value: Any) -> dict[str, Any]:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return {"type": name}
    if isinstance(value, list):
        return {"type": "array", "items": {"type": "string"}}
    return {"type": "string"}
