"""The life of a forked child: it prepares, waits for a request, confines itself, renders, and waits to be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ipykernel import zmqshell
from IPython.core import interactiveshell

from ..cells import direct
from ..cells.capture import Recorder
from ..cells.handover import Handover
from ..cells.render import Render
from ..cells.shell import refuse_input
from ..cells.terminal import Terminal
from ..sandbox.confinement import Sandbox
from . import processes
from .prefault import copy_ahead
from .prefork import PreforkContext
from .priority import lower_own


def run_child(control: socket.socket, results: Sequence[int], context: PreforkContext) -> NoReturn:
    """Prepares, waits for a request, enters the sandbox, renders, and waits to be killed."""
    processes.die_with_parent(signal.SIGKILL, os.getppid())
    lower_own()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _offer_to_oom_killer()
    sandbox = Sandbox.prepare(mode=context.mode, read_paths=context.read_paths)
    interactiveshell.system = zmqshell.system = Terminal().run
    copy_ahead(context.prefault_ranges)
    order = _receive(control)
    began = time.monotonic()
    directory = Path(order["directory"])
    job = json.loads((directory / "job.json").read_text(encoding="utf-8"))
    handover = Handover(directory, results)
    _redirect_streams(handover, context.recorder)
    sys.stdout, sys.stderr = context.streams
    os.chdir(directory / "work")
    direct.settle_in(order["environ"])
    refuse_input()
    if order["packages"]:
        # After everything of the environment's, so that a package never replaces one of its modules.
        sys.path.append(order["packages"])
    sandbox.enter(
        readable=[str(directory), *order["read_only"]],
        writable=_writable(directory, job),
        sockets="unix" if order["kernel"] else "none",
        max_file_bytes=order["max_file_bytes"],
        max_tasks=order["max_tasks"],
        spawning=context.spawning,
    )
    render = Render(directory, job, handover, on_end=lambda: _wait_for_end(control, b"done"))
    render.result["sandbox_s"] = time.monotonic() - began
    if order["kernel"]:
        render.run_kernel(order["kernel"])
    else:
        render.run(context.shell, context.recorder)
    _wait_for_end(control, b"refused" if render.was_refused else b"done")


def _receive(control: socket.socket) -> dict[str, Any]:
    """Waits for the request. Exits if the host is gone."""
    line = b""
    while not line.endswith(b"\n"):
        received = control.recv(65536)
        if not received:
            os._exit(0)
        line += received
    order: dict[str, Any] = json.loads(line)
    return order


def _offer_to_oom_killer() -> None:
    """If the machine runs out of memory, a render ends instead of the host of all renders."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def _writable(directory: Path, job: dict[str, Any]) -> list[str]:
    folders = ["work", "tmp", "home"]
    # The sample is made in the sandbox, which then writes its path into the inputs.
    inputs = ["inputs.json"] if job["spec"]["sample_rows"] else []
    return [str(directory / name) for name in (*folders, *inputs)]


def _redirect_streams(handover: Handover, recorder: Recorder) -> None:
    """Redirects the descriptors 1 and 2 into files, which then receive output of C code and other processes."""
    for number, descriptor, stream in zip((1, 2), handover.streams, recorder.streams, strict=True):
        os.dup2(descriptor, number)
        stream.raw_fd = descriptor


def _wait_for_end(control: socket.socket, word: bytes) -> NoReturn:
    """Reports that the result is written, then waits for the host to kill this process and what it started.

    Args:
        word: `refused` if the code failed because it could start no process or thread, so that the host checks whether
            it had too many; `done` otherwise.
    """
    control.sendall(word)
    while control.recv(16):
        continue
    os._exit(0)
