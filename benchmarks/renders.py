"""One case rendered in two ways, taken in turns: as a worker of the portal does it, and by the cold reference."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import nbformat

from apps.visualizations.rendering import RenderOrder, environments, render
from benchmarks.cases import Case, WrongPageError

_REFERENCE: Final = Path(__file__).with_name("reference.py")
_TIMEOUT_S: Final = 120
_PASSED_ON: Final = ("LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE")
_CELL: Final = re.compile(r"^# ?%%.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One checked render.

    Attributes:
        cpu_s: of this process and of all processes the render started, user and system.
    """

    seconds: float
    cpu_s: float
    html_bytes: int


Way = Callable[[Case, Path, Path], str]


def portal_way(case: Case, interpreter: Path, directory: Path) -> str:
    """Renders through the door that the worker uses; returns the page."""
    order = RenderOrder(
        code=case.code,
        variables=case.variables,
        source=str(case.source),
        source_uri=f"file://{case.source}",
        title=case.name,
        timeout_s=_TIMEOUT_S,
    )
    outcome = render(
        order,
        interpreter=interpreter,
        directory=directory,
        on_progress=lambda _progress: None,
        is_cancelled=lambda: False,
    )
    if outcome.html_path is None:
        raise WrongPageError(f"{case.name}: {outcome.state}: {outcome.message}\n{outcome.traceback}{outcome.log}")
    return outcome.html_path.read_text(encoding="utf-8")


def reference_way(case: Case, interpreter: Path, directory: Path) -> str:
    """Renders the same code with nbclient and nbconvert alone; returns the page."""
    notebook, page = directory / "notebook.ipynb", directory / "page.html"
    nbformat.write(_notebook(case), notebook)
    cache = environments.matplotlib_cache_dir(interpreter)
    subprocess.run(
        [interpreter, _REFERENCE, notebook, page],
        cwd=directory,
        env={
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "PATH": f"{interpreter.parent}:{os.defpath}",
            "HOME": str(directory),
            "MPLCONFIGDIR": str(cache),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        },
        check=True,
        timeout=_TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return page.read_text(encoding="utf-8")


WAYS: Final[dict[str, Way]] = {"portal": portal_way, "cold nbclient": reference_way}


def measure_renders(
    cases: list[Case], interpreter: Path, *, repetitions: int, warm_ups: int, say: Callable[[str], None]
) -> dict[tuple[str, str], list[Measured]]:
    """Returns the measurements by case and way; every page was checked for the marks of its data.

    Args:
        warm_ups: rounds that are checked and not counted: the first one reads the libraries from disk.

    Raises:
        WrongPageError: a render failed, or its page lacks the marks.
    """
    found: dict[tuple[str, str], list[Measured]] = {(case.name, way): [] for case in cases for way in WAYS}
    for round_number in range(-warm_ups, repetitions):
        for case in cases:
            # Whoever comes second finds the caches warm, so they change places.
            for name in sorted(WAYS, reverse=round_number % 2 == 0):
                measured = _measure(WAYS[name], case, interpreter)
                if round_number >= 0:
                    found[case.name, name].append(measured)
        say(f"renders: round {round_number + warm_ups + 1} of {repetitions + warm_ups}")
    return found


def _measure(way: Way, case: Case, interpreter: Path) -> Measured:
    with _scratch() as directory:
        cpu, started = _cpu_s(), time.perf_counter()
        page = way(case, interpreter, directory)
        seconds, cpu_s = time.perf_counter() - started, _cpu_s() - cpu
    case.check(page)
    return Measured(seconds=seconds, cpu_s=cpu_s, html_bytes=len(page.encode()))


@contextmanager
def _scratch() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="vizportal-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _notebook(case: Case) -> nbformat.NotebookNode:
    inputs = json.dumps({"source": str(case.source), "source_uri": "", "variables": case.variables})
    first = f"import json\nglobals().update(json.loads({inputs!r}))"
    bounds = [0, *(match.start() for match in _CELL.finditer(case.code)), len(case.code)]
    texts = (case.code[start:end] for start, end in pairwise(bounds))
    cells = [nbformat.v4.new_code_cell(text) for text in (first, *texts) if text.strip()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
