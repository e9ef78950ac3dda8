"""Evaluates the conditions of tasks: the part of the Common Expression Language (CEL) that kfp's compiler writes."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from localkfp.values import TaskError, text_of

_TOKENS: Final = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(&&)|(\|\|)|(!)(?!=)|\b(true|false|null)\b""")
_PYTHON: Final = {"&&": " and ", "||": " or ", "!": " not ", "true": "True", "false": "False", "null": "None"}
_COMPARE: Final[dict[type, Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_CALLS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": lambda value: int(float(value)),
    "double": float,
    "string": text_of,
    "bool": lambda value: value if isinstance(value, bool) else {"true": True, "false": False}[value],
    "size": len,
}


def is_true(expression: str, parameters: Mapping[str, Any]) -> bool:
    """Returns whether a condition holds.

    Args:
        expression: such as `int(inputs.parameter_values['n']) > 2`.
        parameters: the task's inputs.

    Raises:
        TaskError: it cannot be evaluated.
    """
    try:
        tree = ast.parse(_as_python(expression).strip(), mode="eval")
        return bool(_value(tree.body, parameters))
    except TaskError:
        raise
    except (SyntaxError, ValueError, TypeError, KeyError) as error:
        raise TaskError(f"its condition cannot be evaluated: {' '.join(expression.split())}") from error


def _as_python(expression: str) -> str:
    """Rewrites operators and words of CEL as Python's; quoted text stays unchanged."""

    def rewrite(match: re.Match[str]) -> str:
        return match[0] if match[1] else _PYTHON[match[0]]

    return _TOKENS.sub(rewrite, " ".join(expression.splitlines()))


def _value(node: ast.expr, parameters: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Subscript(value=ast.Attribute(attr="parameter_values"), slice=ast.Constant(value=name)):
            return _parameter(str(name), parameters)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _CALLS[name](_value(argument, parameters))
        case ast.BoolOp(op=ast.And()):
            return all(_value(part, parameters) for part in node.values)
        case ast.BoolOp():
            return any(_value(part, parameters) for part in node.values)
    return _compared(node, parameters)


def _compared(node: ast.expr, parameters: Mapping[str, Any]) -> Any:
    match node:
        case ast.Compare(ops=[comparison], comparators=[right]):
            return _COMPARE[type(comparison)](_value(node.left, parameters), _value(right, parameters))
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, parameters)
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, parameters)
    raise ValueError(ast.dump(node))


def _parameter(name: str, parameters: Mapping[str, Any]) -> Any:
    if parameters.get(name) is None:
        raise TaskError(
            f"its condition needs a value for {name.removeprefix('pipelinechannel--')!r}, and there is none"
        )
    return parameters[name]
