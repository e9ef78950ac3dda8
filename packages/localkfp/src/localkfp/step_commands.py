"""Determines what a component runs: code and packages extracted from a compiled shell command, or a plain command.

kfp compiles a Python component to `sh -c "<pip install ...> && "$0" "$@"" sh -ec "<write $0 to a file, run it>" CODE`.
Its prelude installs the kfp version of the compiling machine, which once downgraded kfp in the interpreter that ran it,
so none of that shell code is run here. Source: kfp 2.17, kfp/dsl/component_factory.py.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RUNS_CODE: Final = "kfp.dsl.executor_main"
_CODE_FILE: Final = "ephemeral_component.py"
_INSTALL: Final = "pip install "
_VALUE_OPTIONS: Final = frozenset({"--index-url", "--extra-index-url", "--trusted-host"})
# kfp.dsl.component_factory.CONTAINERIZED_PYTHON_COMPONENT_COMMAND.
_IN_IMAGE: Final = ("python3", "-m", _RUNS_CODE)
_NO_CONTAINERS: Final = "and there are no containers here"
_INTERPRETERS: Final = frozenset({"sh", "bash", "python", "python3"})
# kfp.kubernetes.CreatePVC and DeletePVC compile to these; in Kubeflow the driver does their work.
_CLAIM_IMAGES: Final = frozenset({"argostub/createpvc", "argostub/deletepvc"})
_KFP: Final = re.compile(r"kfp\s*([=<>!~\[].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommand:
    """What a component runs.

    Attributes:
        code: the module with a lightweight Python component's function; "" for a container's own command.
        image: of the container; for messages.
        packages: its requirements besides kfp itself, sorted.
        index_options: pip options for the package index (`--index-url`, ...).
    """

    code: str = ""
    image: str = ""
    packages: tuple[str, ...] = ()
    index_options: tuple[str, ...] = ()


def refusal(words: Sequence[str], image: str, path: str) -> str:
    """Returns why a container's command cannot be run without its container; "" if it can.

    Args:
        words: the command and its arguments.
        image: the container's image.
        path: the search path for programs.
    """
    if image in _CLAIM_IMAGES:
        return "it makes or deletes a volume claim, and there is no cluster here: pass files between steps as artifacts"
    if not words:
        return f"it runs whatever its image {image} starts by itself, {_NO_CONTAINERS}"
    if tuple(words[:3]) == _IN_IMAGE:
        return f"its Python code is in its image {image}, {_NO_CONTAINERS}"
    missing = words[0] if shutil.which(words[0], path=path) is None else _missing_script(words)
    if missing:
        return f"it runs {missing!r} of its image {image}, which this machine does not have, {_NO_CONTAINERS}"
    return ""


def _missing_script(words: Sequence[str]) -> str:
    """Returns an interpreter's script if it does not exist; a step's own folder is empty."""
    is_script = Path(words[0]).name in _INTERPRETERS and len(words) > 1 and not words[1].startswith("-")
    return words[1] if is_script and not (Path(words[1]).is_absolute() and Path(words[1]).exists()) else ""


def parse_command(command: Sequence[str]) -> StepCommand | None:
    """Parses a component's container command; None if it is not a lightweight Python component."""
    for position, part in enumerate(command[:-1]):
        if _RUNS_CODE in part and _CODE_FILE in part:
            packages, options = _installs(" ".join(command[:position]))
            return StepCommand(code=command[position + 1], packages=packages, index_options=options)
    return None


def _installs(prelude: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    packages: set[str] = set()
    options: list[str] = []
    for call in prelude.split(_INSTALL)[1:]:
        words = iter(_words_of_one_command(call))
        for word in words:
            if word in _VALUE_OPTIONS:
                options += [word, next(words, "")]
            elif not word.startswith("-") and not _is_kfp(word):
                packages.add(word)
    return tuple(sorted(packages)), tuple(_unique_pairs(options))


def _words_of_one_command(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("&|;"):
            break
        words.append(word)
    return words


def _unique_pairs(options: list[str]) -> list[str]:
    pairs = dict.fromkeys(zip(options[::2], options[1::2], strict=True))
    return [word for pair in pairs for word in pair]


def _is_kfp(requirement: str) -> bool:
    # kfp's own prelude also requests typing-extensions for long obsolete versions of Python.
    return bool(_KFP.fullmatch(requirement)) or requirement.startswith("typing-extensions>=3.7.4,<5;")
