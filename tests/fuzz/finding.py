"""Makes cases from the types' examples, and reports what is wrong with each result."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import renderer
import vizkit
from vizkit.types import arguments, registry

from packages.vizkit.tests.examples import all_examples
from tests.environments import ENVIRONMENTS
from tests.fuzz.changes import change

# A case that takes longer hangs: runner.py ends those that calculate for too long.
MOST_S = 300


@dataclass(frozen=True, slots=True)
class Case:
    """A type's code and its input.

    Attributes:
        source: a file or a folder, as for a render.
        number: the same number and seed give the same files.
    """

    type_key: str
    number: int
    source: Path
    variables: dict[str, Any]


def cases_of(
    folder: Path, keys: Iterable[str], seed: str, numbers: Iterable[int], also: Path | None = None
) -> Iterator[Case]:
    """Yields changed examples of types (by default of all), each created on demand.

    Args:
        folder: the folder for cases. A case is removed before the next one.
        also: a folder of further files, for types that read tables.
    """
    numbers = list(numbers)
    more = sorted(path for path in also.rglob("*") if path.is_file()) if also else []
    for key in keys or sorted(all_examples()):
        kind = registry.get(key)
        # The example of custom code is the user's own code, with the errors of pandas.
        if kind.is_custom or not ENVIRONMENTS.get(kind.environment).interpreter:
            continue
        origin = folder / f"{key}-example"
        origin.mkdir()
        source, given = all_examples()[key](origin)
        sources = [Path(source), *(more if "encoding" in kind.schema["properties"] else [])] if source else []
        for number in numbers if sources else ():
            dice = random.Random(f"{seed}/{key}/{number}")
            chosen = dice.choice(sources)
            made = folder / f"{key}-{number}" / chosen.name
            made.parent.mkdir()
            (shutil.copytree if chosen.is_dir() else shutil.copy)(chosen, made)
            change(dice, made)
            yield Case(key, number, made, arguments.clean(kind.schema, given if chosen == sources[0] else {}))
            shutil.rmtree(made.parent)


def findings(cases: Iterable[Case]) -> Iterator[tuple[Case, str]]:
    """Runs cases and yields those that went wrong, with the error."""
    with tempfile.TemporaryDirectory(prefix="vzp-fuzz-") as scratch, runners(Path(scratch)) as run:
        for case in cases:
            said = run(case)
            if said:
                yield case, said


@contextmanager
def runners(scratch: Path) -> Iterator[Any]:
    """Yields a function that runs a case in its type's environment and returns the error or "".

    Args:
        scratch: a folder for files that the toolkit unpacks. It outlives the processes, which may be killed.
    """
    started: dict[str, subprocess.Popen[str]] = {}

    def run(case: Case) -> str:
        kind = registry.get(case.type_key)
        runner = started.get(kind.environment)
        if runner is None or runner.poll() is not None:
            runner = started[kind.environment] = start(kind.environment, scratch)
        assert runner.stdin
        assert runner.stdout
        order = {"code": kind.code, "source": str(case.source), "variables": case.variables}
        runner.stdin.write(json.dumps(order) + "\n")
        runner.stdin.flush()
        if not select.select([runner.stdout], [], [], MOST_S)[0]:
            # It is blocked in a library, where no signal reaches Python.
            runner.kill()
            return f"no answer for {MOST_S} s"
        answer = runner.stdout.readline()
        said: str = json.loads(answer) if answer else f"the process ended: {runner.wait()}"
        if said.startswith("more than"):
            # End it too, since a library was interrupted.
            runner.wait()
        return said

    try:
        yield run
    finally:
        for runner in started.values():
            runner.kill()
            runner.wait()


def start(environment: str, scratch: Path) -> subprocess.Popen[str]:
    """Starts a process that runs cases in an environment."""
    interpreter = ENVIRONMENTS.get(environment).interpreter
    places = (vizkit.TOOLKIT_DIR, Path(renderer.__file__).parent / "child")
    call = [str(interpreter), "-W", "ignore", str(Path(__file__).with_name("runner.py")), *map(str, places)]
    env, pipe = {**os.environ, "TMPDIR": str(scratch)}, subprocess.PIPE
    return subprocess.Popen(call, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=scratch, env=env)
