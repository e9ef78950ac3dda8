"""Generates mutants of a module: its source with one small change each.

The changes are those of mutmut, which makes them only in plain functions. This module also makes them in properties,
class bodies and tables, and removes single entries of tables. It does not change annotations, decorators, docstrings,
log messages, and values that tests should not repeat: texts for users, and numbers outside functions (limits).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_assignment, operator_string

_SKIPPED = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)
_SKIPPED_CALLS = {"cast", "TypeVar", "getLogger", "logger"}
_MUTATED_ITSELF = (cst.BaseNumber, cst.BaseString, cst.Name, cst.BinaryOperation)
# Texts such as "Name" and "Any time". Keys such as "q" or "created_at" are mutated.
_FOR_PEOPLE = re.compile(r"""^["'][A-Z][a-z]|\s""")
_TABLES = (cst.Tuple, cst.List, cst.Set, cst.Dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A changed module. `was` and `now` are the changed expression, each in one line."""

    line: int
    was: str
    now: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.line}: {self.was} -> {self.now}"


def mutants_of(source: str) -> list[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(source))
    lines = wrapper.resolve(PositionProvider)
    made = {}
    for node in _nodes(wrapper.module):
        for changed in _changes(node):
            new = wrapper.module.deep_replace(node, changed)
            if new.code != source:
                was, now = (" ".join(wrapper.module.code_for_node(each).split()) for each in (node, changed))
                made[new.code] = Mutant(line=lines[node].start.line, was=was, now=now, source=new.code)
    return list(made.values())


def _nodes(node: cst.CSTNode, *, is_in_function: bool = False) -> Iterator[cst.CSTNode]:
    """Yields the nodes below a node that may change."""
    for child in node.children:
        if not _is_left_alone(child) and (is_in_function or not _is_number(child)):
            yield child
            yield from _nodes(child, is_in_function=is_in_function or isinstance(child, cst.FunctionDef))


def _is_left_alone(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
        return True
    if isinstance(node, cst.Call):
        name = node.func
        while isinstance(name, cst.Attribute):
            if isinstance(name.attr, cst.Name) and name.attr.value in _SKIPPED_CALLS:
                return True
            name = name.value
        return isinstance(name, cst.Name) and name.value in _SKIPPED_CALLS
    return isinstance(node, _SKIPPED)


def _is_number(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.BinaryOperation):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, cst.BaseNumber)


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, _TABLES):
        yield from _shorter(node)
    if isinstance(node, cst.SimpleString):
        if not _FOR_PEOPLE.search(node.value):
            yield from list(operator_string(node))[:1]
        return
    for kind, operator in mutation_operators:
        if operator is operator_assignment and isinstance(getattr(node, "value", None), _MUTATED_ITSELF):
            continue
        if isinstance(node, kind) and operator is not operator_string:
            changes = list(operator(node))
            # An argument can become None or be removed. The second half tests as much as both.
            is_halved = operator is operator_arg_removal and len(node.args) > 1
            yield from changes[len(changes) // 2 :] if is_halved else changes


def _shorter(node) -> Iterator[cst.CSTNode]:
    elements = list(node.elements)
    if len(elements) < 2:
        return
    for index, element in enumerate(elements):
        if isinstance(element.value, cst.SimpleString) and _FOR_PEOPLE.search(element.value.value):
            continue
        kept = [*elements[:index], *elements[index + 1 :]]
        if isinstance(node, cst.Tuple) and len(kept) == 1:
            kept = [kept[0].with_changes(comma=cst.Comma())]
        yield node.with_changes(elements=kept)
