"""The arguments that the assignments of a notebook's cell make. The cell is parsed and never run."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

# What a render always has; a notebook may assign them to be tried by itself.
_RESERVED: Final = frozenset({"source", "source_uri", "variables"})
_NAMES: Final = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_ANNOTATIONS: Final = {each.__name__: name for each, name in _NAMES.items()}
_TYPE_COMMENT: Final = re.compile(r"^type:\s*\S+\s*")


class NotLiteralError(Exception):
    """The cell cannot be read; the text says why."""


def read_parameters(code: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Returns the arguments that a cell's assignments make, and the names of those without a default.

    `bins = 30`, `bins: int = 30  # How many.` and `column: str` (required) each make one; a comment behind or above is
    its description. What is assigned anything but a literal is no argument.

    Raises:
        NotLiteralError: the cell is not plain Python.
    """
    try:
        tree = ast.parse(code)
        comments = dict(_comments(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotLiteralError("the cell tagged `parameters` is not plain Python") from error
    found: dict[str, dict[str, Any]] = {}
    required = []
    for statement in tree.body:
        name, annotation, value = _assignment(statement)
        if not name or name in _RESERVED:
            continue
        rule = _rule(annotation, value)
        if rule is None:
            found.pop(name, None)
            continue
        if words := _describe(comments, statement):
            rule["description"] = words
        found[name] = rule
        if value is None:
            required.append(name)
    return found, [name for name in required if "default" not in found.get(name, {"default": 0})]


def _comments(code: str) -> Iterator[tuple[int, tuple[str, bool]]]:
    """Yields, by line, a comment's text and whether it has the line to itself."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            text = _TYPE_COMMENT.sub("", token.string.lstrip("#").strip())
            yield token.start[0], (text, not token.line[: token.start[1]].strip())


def _describe(comments: Mapping[int, tuple[str, bool]], statement: ast.stmt) -> str:
    last = statement.end_lineno or statement.lineno
    if last in comments:
        return comments[last][0]
    above: list[str] = []
    line = statement.lineno - 1
    while line in comments and comments[line][1]:
        above.insert(0, comments[line][0])
        line -= 1
    return " ".join(above)


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None, ast.expr | None]:
    """Returns name, annotation and value of an assignment to one plain name; "" for anything else."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.annotation, statement.value
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, None, statement.value
    return "", None, None


def _rule(annotation: ast.expr | None, value: ast.expr | None) -> dict[str, Any] | None:
    """Returns the JSON Schema of one argument; None where its value is no literal that JSON has."""
    rule = _annotated(annotation)
    if value is None:
        return rule or {"type": "string"}
    try:
        default = ast.literal_eval(value)
        default = list(default) if isinstance(default, tuple) else default
        json.dumps(default, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if default is None:
        return rule or {"type": "string"}
    rule = rule or _shape(default)
    if isinstance(default, int) and not isinstance(default, bool) and rule.get("type") == "number":
        default = float(default)
    return {**rule, "default": default}


def _shape(value: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {"type": _NAMES[type(value)]}
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        rule["items"] = {"type": "string"}
    return rule


def _annotated(annotation: ast.expr | None) -> dict[str, Any] | None:
    """Returns what an annotation says: int, `float | None`, Optional[str], list[str], Literal["a", "b"]."""
    if isinstance(annotation, ast.Name | ast.Attribute):
        name = annotation.id if isinstance(annotation, ast.Name) else annotation.attr
        kind = _ANNOTATIONS.get(name.lower())
        return {"type": kind} if kind else None
    if isinstance(annotation, ast.BinOp):
        return _annotated(annotation.left) or _annotated(annotation.right)
    return _subscripted(annotation) if isinstance(annotation, ast.Subscript) else None


def _subscripted(annotation: ast.Subscript) -> dict[str, Any] | None:
    outer = ast.unparse(annotation.value).rpartition(".")[2].lower()
    if outer == "optional":
        return _annotated(annotation.slice)
    if outer == "list":
        items = _annotated(annotation.slice)
        return {"type": "array", **({"items": items} if items else {})}
    if outer == "literal":
        return _choice(annotation.slice)
    return {"type": "object"} if outer == "dict" else None


def _choice(allowed: ast.expr) -> dict[str, Any] | None:
    values: Iterable[ast.expr] = allowed.elts if isinstance(allowed, ast.Tuple) else [allowed]
    texts = [each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return {"type": "string", "enum": texts} if texts else None
