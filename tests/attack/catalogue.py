"""The attack programs: what each file's header says of it.

A program is a Python file that runs as the custom code of a render. Its docstring begins with a sentence that says
what it tries, and ends with fields:

    gains: what the attacker has if it succeeds
    ends: how the render may end: states and reasons, or `any` (default: succeeded)
    limits: numbers for the order, e.g. `timeout_s=5 max_processes=30`
    repeat: how often a full run repeats it, because it needs luck (default: 1)
    suite: `attack` keeps it out of the tests that CI runs (default: plain)
    needs: `chain` for the forking program of elf.py, `x86_64`, `storage` for Django's storage
    only: the modes it may run in; where it could harm the machine unconfined, or means nothing without
    silent: why nothing that it prints can be read afterwards
    cancel: cancelled so many seconds after its first attempt
    remains(MODE): it is known to succeed in this mode, and what remains; docs/threat-model.md has the same table

A line `# === next render ===` begins the code of a second render of the same host, run after the first has ended.
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
    """One attack.

    Attributes:
        code, next_code: of the render, and of the render that follows it ("" for none).
        remains: by mode, what is known to remain open there.
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
        """What it is called in the matrix and in docs/threat-model.md."""
        return f"{self.area}/{self.name}"


def read_all():
    """Returns all programs, by key."""
    programs = (read(path) for path in sorted(PROGRAMS.glob("*/*.py")))
    return {program.key: program for program in programs}


def read(path):
    """Returns the program of a file.

    Raises:
        ValueError: its header lacks a field, or has one that is not known.
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
