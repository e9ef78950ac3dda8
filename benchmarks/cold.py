"""The reference: the same code with plain nbclient, started cold, in the environment that the portal renders in."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import nbformat
from vizkit.types import arguments, registry
from vizkit.types.header import TOOLKIT_DIR

from benchmarks.cases import Case
from benchmarks.measure import Series

NAME: Final = "cold nbclient"
_REFERENCE: Final = Path(__file__).with_name("reference.py")
_TIMEOUT_S: Final = 120
_PASSED_ON: Final = ("LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE")
_CELL: Final = re.compile(r"^# ?%%.*$", re.MULTILINE)


def measure_cold(
    cases: Sequence[Case], interpreter: Path, *, repetitions: int, say: Callable[[str], None]
) -> dict[tuple[str, str], Series]:
    """Returns the series by case and way.

    Args:
        cases: to run.
        interpreter: of the environment, with nbclient, ipykernel and nbconvert.
        repetitions: how often.
        say: called with progress lines.

    Raises:
        WrongPageError: a page lacks the marks of its data.
    """
    found = {(case.name, NAME): Series() for case in cases}
    for number in range(repetitions):
        for case in cases:
            _one(case, interpreter, found[case.name, NAME])
        say(f"{NAME}: round {number + 1} of {repetitions}")
    return found


def _one(case: Case, interpreter: Path, series: Series) -> None:
    with _scratch() as directory:
        notebook, page = directory / "notebook.ipynb", directory / "page.html"
        nbformat.write(_notebook(case), notebook)
        cpu, started = _cpu_s(), time.perf_counter()
        subprocess.run(
            [interpreter, _REFERENCE, notebook, page],
            cwd=directory,
            env=_environ(interpreter, directory),
            check=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        series.seconds.append(time.perf_counter() - started)
        series.cpu_s.append(_cpu_s() - cpu)
        text = page.read_text(encoding="utf-8")
    case.check_page(text)
    series.html_bytes.append(len(text.encode()))


def _environ(interpreter: Path, directory: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PATH": f"{interpreter.parent}:{os.defpath}",
        "HOME": str(directory),
        # The environment's font cache: building one takes matplotlib seconds.
        "MPLCONFIGDIR": str(interpreter.parent.parent / "share" / "vizportal" / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # The modules that types import in addition to the environment's libraries.
        "PYTHONPATH": str(TOOLKIT_DIR.parent),
    }


@contextmanager
def _scratch() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="vizportal-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _notebook(case: Case) -> nbformat.NotebookNode:
    variables = arguments.clean(registry.get(case.type_key).schema, case.variables)
    inputs = json.dumps({"source": str(case.source or ""), "source_uri": "", "variables": variables})
    first = f"import json\nglobals().update(json.loads({inputs!r}))"
    bounds = [0, *(match.start() for match in _CELL.finditer(case.code)), len(case.code)]
    texts = (case.code[start:end] for start, end in pairwise(bounds))
    cells = [nbformat.v4.new_code_cell(text) for text in (first, *texts) if text.strip()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
