"""One render, seen from the trusted side: prepare a directory, start the supervisor, read back two capped files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from apps.visualizations.rendering import environments, results
from apps.visualizations.rendering.entities import Progress, RenderOrder, RenderOutcome

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_CHILD: Final = Path(__file__).with_name("child")
_POLL_S: Final = 0.05
_REPORT_S: Final = 0.5
# The supervisor ends a render at its deadline by itself; this is for a supervisor that is stuck.
_GRACE_S: Final = 10
# Numeric libraries read these; everything else of the worker's environment stays out.
_PASSED_ON: Final = ("LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def render(
    order: RenderOrder,
    *,
    interpreter: Path,
    directory: Path,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> RenderOutcome:
    """Renders in a fresh kernel and waits for the end.

    Args:
        interpreter: the environment's Python.
        directory: an existing, empty directory of this render; everything it makes stays below it.
        on_progress: called about twice a second from this thread; an exception from it ends the render and is raised.
        is_cancelled: asked as often; true ends the render with state cancelled.

    Returns:
        The outcome; failures of the code are outcomes, not exceptions.
    """
    if not interpreter.exists():
        message = "The environment of this type is not built here. An admin can build it: manage.py environments build."
        return RenderOutcome(state="failed", reason="environment_missing", message=message)
    started = time.monotonic()
    _prepare(order, interpreter, directory)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR), str(directory)],
        cwd=directory,
        env=_clean_environment(interpreter, directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, order, directory, started, on_progress, is_cancelled)
    finally:
        _stop(process)
    return results.read_outcome(
        directory,
        max_html_bytes=order.max_html_bytes,
        timeout_s=order.timeout_s,
        total_s=time.monotonic() - started,
    )


def _prepare(order: RenderOrder, interpreter: Path, directory: Path) -> None:
    for name in ("home", "work"):
        (directory / name).mkdir(mode=0o700)
    _copy_font_cache(interpreter, directory)
    inputs = {
        "source": order.source,
        "source_uri": order.source_uri,
        "variables": dict(order.variables),
    }
    job = {
        "code": order.code,
        "title": order.title,
        "command": [str(interpreter), "-I", str(_CHILD), str(directory)],
        "timeout_s": order.timeout_s,
        "max_memory_bytes": order.max_memory_bytes,
        "max_processes": order.max_processes,
        "max_file_bytes": max(2 * order.max_html_bytes, 256 * 1024**2),
    }
    (directory / "inputs.json").write_text(json.dumps(inputs, allow_nan=False), encoding="utf-8")
    (directory / "job.json").write_text(json.dumps(job, allow_nan=False), encoding="utf-8")


def _copy_font_cache(interpreter: Path, directory: Path) -> None:
    """Gives the render a font cache of its own.

    matplotlib takes no cache directory that it cannot write to (it warns on the page and searches for fonts for
    seconds), and the environment's own is not to be written by a render: in a container it is read-only.
    """
    cache = environments.matplotlib_cache_dir(interpreter)
    if cache.is_dir():
        shutil.copytree(cache, _font_cache(directory), copy_function=shutil.copyfile)


def _font_cache(directory: Path) -> Path:
    return directory / "home" / "matplotlib"


def _clean_environment(interpreter: Path, directory: Path) -> dict[str, str]:
    home = directory / "home"
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PATH": f"{interpreter.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "jupyter-data"),
        "MPLCONFIGDIR": str(_font_cache(directory)),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONUTF8": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _wait(
    process: subprocess.Popen[bytes],
    order: RenderOrder,
    directory: Path,
    started: float,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
) -> None:
    next_report = 0.0
    while process.poll() is None:
        elapsed = time.monotonic() - started
        if elapsed >= next_report:
            next_report = elapsed + _REPORT_S
            cell, cells = results.read_progress(directory)
            on_progress(Progress(cell=cell, cells=cells, elapsed_s=elapsed))
            if is_cancelled():
                process.send_signal(signal.SIGUSR1)
        if elapsed > order.timeout_s + _GRACE_S:
            return
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
