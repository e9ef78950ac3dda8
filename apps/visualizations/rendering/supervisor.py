"""The supervisor of one render: a small process that owns every process the render starts, and ends them all.

It runs as a script (`python -I -S supervisor.py DIRECTORY`), imports the standard library only, and holds no secret.
As a child subreaper it inherits whatever the render leaves behind, daemons in sessions of their own too; when the
worker dies, the kernel sends it SIGTERM. It enforces deadline, memory and process count, and writes verdict.json.
SIGUSR1 cancels. The rest of the project never imports it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_WATCH_S: Final = 0.1
_MEASURE_EVERY: Final = 3

_asked: list[str] = []


def main(directory: Path) -> None:
    """Runs the command of job.json in `directory` and writes verdict.json beside it."""
    parent = os.getppid()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: _asked.append("stopped"))
    signal.signal(signal.SIGUSR1, lambda *_: _asked.append("cancelled"))
    if os.getppid() != parent:
        return  # the worker died before the death signal was set
    job = json.loads((directory / "job.json").read_text(encoding="utf-8"))
    # Socket paths are limited to 107 bytes, so sockets live under a short name.
    scratch = tempfile.mkdtemp(prefix="vp-")
    try:
        verdict = _run(job, directory, scratch)
    finally:
        _kill_descendants()
        shutil.rmtree(scratch, ignore_errors=True)
    (directory / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")


def _run(job: dict[str, Any], directory: Path, scratch: str) -> dict[str, Any]:
    with (directory / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            job["command"],
            cwd=directory / "work",
            env={**os.environ, "TMPDIR": scratch, "JUPYTER_RUNTIME_DIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: _limit(job),  # noqa: PLW1509  (one thread only)
        )
    verdict, peak = _watch(process, job)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return {"verdict": verdict, "returncode": process.wait(), "peak_memory_bytes": peak}


def _limit(job: dict[str, Any]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size = job["max_file_bytes"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


def _watch(process: subprocess.Popen[bytes], job: dict[str, Any]) -> tuple[str, int]:
    deadline = time.monotonic() + job["timeout_s"]
    peak = 0
    turn = 0
    while True:
        try:
            process.wait(_WATCH_S)
        except subprocess.TimeoutExpired:
            pass
        else:
            return "exited", peak
        if _asked:
            return _asked[0], peak
        if time.monotonic() > deadline:
            return "timed_out", peak
        turn += 1
        if turn % _MEASURE_EVERY == 0:
            pids = _descendants(os.getpid())
            peak = max(peak, sum(_pss_bytes(pid) for pid in pids))
            if len(pids) > job["max_processes"]:
                return "too_many_processes", peak
            if peak > job["max_memory_bytes"]:
                return "out_of_memory", peak


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = Path(entry.path, "stat").read_bytes()
                # The command name stands in parentheses and may hold anything, so read behind the last one.
                children.setdefault(int(stat.rpartition(b")")[2].split()[1]), []).append(int(entry.name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it ended meanwhile
    return 0


def _kill_descendants() -> None:
    # Stopped first, so that none can fork away while the others are killed; again until nothing is left.
    for _ in range(100):
        pids = _descendants(os.getpid())
        if not pids:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        time.sleep(0.01)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
