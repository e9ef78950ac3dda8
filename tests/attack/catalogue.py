"""Reads the attack programs and their headers.

A program is a Python file that runs as the custom code of a render. Its docstring starts with a sentence that
describes the attack, and ends with fields:

    gains: what the attacker gains if it succeeds
    ends: how the render may end: states and reasons, or `any` (default: succeeded)
    limits: numbers for the order, e.g. `timeout_s=5 max_processes=30`
    repeat: how often a full run repeats it, if it needs luck (default: 1)
    suite: `attack` excludes it from the tests in CI (default: plain)
    needs: `chain` for the forking program of elf.py, `x86_64`, `storage` for Django's storage
    only: the modes in which it may run, if it could harm the machine unconfined or is pointless in other modes
    silent: why its output cannot be read afterwards
    cancel: the seconds after its first attempt at which it is cancelled
    remains(MODE): why it is known to succeed in this mode; docs/threat-model.md has the same table

A line `# === next render ===` starts the code of a second render of the same host, which runs after the first.
"""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
_NEXT = "# === next render ===\n"
_FIELD = re.compile(r"^(\w+)(?:\((\w+)\))?: (.+)$")
_KNOWN = {"gains", "ends", "limits", "repeat", "suite", "needs", "only", "cancel", "silent", "remains"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An attack program.

    Attributes:
        code, next_code: code of the render and of the next render ("" for none).
        remains: what is known to remain open, by mode.
    """

    area: str
    name: str
    summary: str
    gains: str
    code: str
    next_code: str = ""
    ends: frozenset[str] = frozenset({"succeeded"})
    limits: dict[str, float] = field(default_factory=dict)
    repeat: int = 1
    suite: str = "plain"
    needs: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    cancel_after_s: float | None = None
    is_silent: bool = False
    remains: dict[str, str] = field(default_factory=dict)

    @property
    def key(self):
        """The name in the matrix and in docs/threat-model.md."""
        return f"{self.area}/{self.name}"


def read_all():
    """Returns all programs, by key."""
    programs = (read(path) for path in sorted(PROGRAMS.glob("*/*.py")))
    return {program.key: program for program in programs}


def read(path):
    """Returns the program of a file.

    Raises:
        ValueError: its header lacks a field or has an unknown one.
    """
    text = path.read_text(encoding="utf-8")
    header = ast.get_docstring(ast.parse(text)) or ""
    code, _, next_code = text.partition(_NEXT)
    fields, remains = _fields(path, header)
    if "gains" not in fields:
        raise ValueError(f"{path}: the header does not say what the attack gains")
    return Program(
        area=path.parent.name,
        name=path.stem,
        summary=header.split("\n\n")[0].replace("\n", " "),
        gains=fields["gains"],
        code=code,
        next_code=next_code,
        ends=_words(fields.get("ends", "succeeded")),
        limits=dict(_number(pair) for pair in fields.get("limits", "").split()),
        repeat=int(fields.get("repeat", 1)),
        suite=fields.get("suite", "plain"),
        needs=_words(fields.get("needs", "")),
        only=_words(fields.get("only", "")),
        cancel_after_s=float(fields["cancel"]) if "cancel" in fields else None,
        is_silent="silent" in fields,
        remains=remains,
    )


def _fields(path, header):
    fields, remains = {}, {}
    for line in header.split("\n\n")[-1].splitlines():
        found = _FIELD.match(line)
        if not found or found[1] not in _KNOWN:
            raise ValueError(f"{path}: {line!r} is no field of a header")
        if found[1] == "remains":
            remains[found[2]] = found[3]
        else:
            fields[found[1]] = found[3]
    return fields, remains


def _words(text):
    return frozenset(text.replace(",", " ").split())


def _number(pair):
    name, _, value = pair.partition("=")
    return name, float(value) if "." in value else int(value)
