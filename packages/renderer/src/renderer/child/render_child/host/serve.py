"""Making a host: importing the environment's libraries, warming them on real work, then serving."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from ipykernel import zmqshell
from IPython.core import interactiveshell

from ..cells import direct
from ..cells.capture import Recorder
from ..cells.handover import Handover
from ..cells.notebook import Cell, build_notebook
from ..cells.render import Render
from ..cells.shell import make_shell, make_streams, refuse_input
from ..cells.terminal import Terminal
from ..page import display_defaults, export
from ..sandbox.confinement import Mode, Sandbox, SandboxError, describe, read_paths
from ..sandbox.probe import self_test
from ..sandbox.seccomp import Spawning
from . import processes
from .cgroups import Hierarchy
from .containment import Containment, choose, summary
from .hugepages import collapse_memory
from .log import log
from .loop import Host
from .prefault import Ranges, copy_ahead, learn
from .priority import lower_own

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_SOURCE_SUFFIXES: Final = frozenset({".py", ".j2", ".js", ".css"})


def serve(options: dict[str, Any]) -> None:
    """Becomes the host that `options` describe (see `rendering.host_spec`); returns when it is over."""
    began = time.monotonic()
    parent = os.getppid()
    for name in ("listener", "lifeline"):
        os.set_inheritable(options[name], False)  # noqa: FBT003  (its signature)
    # Orphans of a render become this process's children, or those of the first process of its namespace. Both take
    # their exit codes: a process that has ended counts against the render's limit until somebody does.
    processes.become_subreaper()
    containment = _containment(options)
    if containment.outer_pid is None:
        # Trying mechanisms out takes a moment, in which the parent may have ended.
        processes.die_with_parent(signal.SIGTERM, parent)
    sys.path.insert(1, options["toolkits_dir"])
    watched = _times(options)
    recorder = Recorder()
    streams = make_streams(recorder)
    shell = make_shell(recorder)
    missing = _preload(options["preload"])
    paths = [*read_paths(), *options["read_paths"]]
    confinement = _confinement(options["sandbox"], paths)
    context = PreforkContext(shell, recorder, streams, confinement["mode"], paths, containment.spawning)
    display_defaults.configure([Path(toolkit).name for toolkit in options["toolkits"]])
    _warm(context, options["asset_index"])
    status = {
        **_about_itself(options, confinement, containment),
        "missing": missing,
        "start_s": round(time.monotonic() - began, 3),
    }
    lifeline = socket.socket(fileno=options["lifeline"])
    host = Host(
        listener=socket.socket(fileno=options["listener"]),
        lifeline=lifeline,
        containment=containment,
        run_child=lambda control, results: _be_child(control, results, context),
        status=status,
        options=options,
        has_changed=lambda: _times(options) != watched,
    )
    signal.signal(signal.SIGTERM, lambda *_: _end(host))
    # What was made until here is never looked at by the collector again, so its pages stay shared with the children.
    gc.collect()
    gc.freeze()
    status["huge_pages"] = collapse_memory()
    context.prefault_ranges.extend(learn(lambda: _rehearse(context, _WARM_CELLS)))
    status["prefault_bytes"] = sum(end - start for start, end in context.prefault_ranges)
    lifeline.sendall(b"ready\n")
    host.serve()


def _about_itself(options: dict[str, Any], confinement: dict[str, Any], containment: Containment) -> dict[str, Any]:
    tasks = "/proc/self/task"
    return {
        "environment": options["environment"],
        **confinement,
        **summary(containment),
        "pid": containment.outer_pid or os.getpid(),
        "mode": "+".join(filter(None, (options["outer"], confinement["mode"]))),
        "threads": len(os.listdir(tasks)) if os.path.isdir(tasks) else 1,  # noqa: PTH208, PTH112
    }


def _containment(options: dict[str, Any]) -> Containment:
    """Returns what keeps a render's processes together. Chosen before libraries are imported: trying it out forks.

    Raises:
        OSError: the mechanism that was asked for does not hold.
    """
    is_confined = options["sandbox"] != "none" and describe("landlock").mode != "none"
    return choose(options["termination"], Hierarchy.read(options["cgroups"]), is_confined=is_confined)


def _confinement(wanted: str, paths: list[str]) -> dict[str, Any]:
    """Returns the sandbox mode in force and its gaps, found by trying to break out.

    Asked for by name, a sandbox that does not hold is an error; "auto" goes on without and says so.

    Raises:
        SandboxError: "landlock" is wanted and not to be had.
    """
    found = describe("none" if wanted == "none" else "landlock")
    if found.mode == "none":
        if wanted == "landlock":
            raise SandboxError("VIZPORTAL_SANDBOX=landlock, but this kernel has no Landlock or no seccomp.")
        return {"mode": "none", "abi": found.abi, "gaps": list(found.gaps)}
    try:
        gaps = self_test(found.mode, paths)
    except SandboxError as error:
        if wanted == "landlock":
            raise
        log(f"no sandbox: {error}")
        return {"mode": "none", "abi": found.abi, "gaps": list(describe("none").gaps)}
    return {"mode": found.mode, "abi": found.abi, "gaps": list(gaps)}


def _end(host: Host) -> NoReturn:
    host.end()
    os._exit(0)


def _times(options: dict[str, Any]) -> dict[str, int]:
    """Returns when the files that this process imports were last changed: its own, the toolkits', the watched ones."""
    found = {}
    folders = [_PACKAGE, *map(Path, options["toolkits"])]
    sources = (path for folder in folders for path in folder.rglob("*") if path.suffix in _SOURCE_SUFFIXES)
    for path in (*map(Path, options["watch"]), *sources):
        try:
            found[str(path)] = path.stat().st_mtime_ns
        except OSError:
            found[str(path)] = 0
    return found


def _preload(modules: list[str]) -> list[str]:
    """Imports the libraries; returns those that could not be."""
    missing = []
    handlers = list(logging.root.handlers)
    logging.disable(logging.WARNING)
    for name in modules:
        try:
            # What libraries say of each other's versions is no business of the log, nor of any render.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  (a broken library must not take the others' renders with it)
            log(f"{name} cannot be imported: {error!r}")
            missing.append(name)
    # One that logs while it is imported sets logging up, for all renders to come.
    logging.root.handlers[:] = handlers
    logging.disable(logging.NOTSET)
    return missing


_WARM_CELLS: Final = ("print('a')\n'b'", "from IPython.display import HTML, display\ndisplay(HTML('c'))")
_WARM_TABLE: Final = """\
import io, pandas
pandas.read_csv(io.StringIO("a,b\\n1,x\\n2,y\\n3,z\\n")).describe()"""
_WARM_FIGURE: Final = """\
import matplotlib.pyplot as plt
plt.plot([1, 2, 3]); plt.title("t"); plt.show()"""


def _warm(context: PreforkContext, index_path: str) -> None:
    """Does once what most renders do, so that they find it done: first table, first figure, first page."""
    export.configure(Path(index_path))
    export.warm()
    texts = [*_WARM_CELLS]
    texts += [_WARM_TABLE] if "pandas" in sys.modules else []
    texts += [_WARM_FIGURE] if "matplotlib.pyplot" in sys.modules else []
    _rehearse(context, texts)
    context.recorder.begin(build_notebook([], ""))
    context.shell.reset(new_session=True)


def _rehearse(context: PreforkContext, texts: Sequence[str]) -> None:
    """Renders some cells, and throws the page away."""
    notebook = build_notebook([Cell(text=text, first_line=1) for text in texts], "")
    context.recorder.begin(notebook)
    plain = (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = context.streams
    try:
        for index, cell in enumerate(notebook.cells[1:]):
            context.shell.set_parent(context.recorder.open_cell(cell, index))
            context.shell.run_cell(cell.source)
            context.recorder.close_cell()
    finally:
        sys.stdout, sys.stderr = plain
    export.export_html(notebook, "")


@dataclass(frozen=True, slots=True)
class PreforkContext:
    """What a child finds ready when it is forked."""

    shell: Any
    recorder: Recorder
    streams: tuple[Any, Any]
    mode: Mode
    read_paths: list[str]
    spawning: Spawning = "processes"
    prefault_ranges: Ranges = field(default_factory=list)


def _be_child(control: socket.socket, results: Sequence[int], context: PreforkContext) -> NoReturn:
    """What a forked child does: gets ready, waits for an order, gives up its rights, renders, and waits for its end."""
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
        # Behind everything of the environment's: what is there already stays what it is.
        sys.path.append(order["packages"])
    sandbox.enter(
        readable=[str(directory), *order["read_only"]],
        writable=_writable(directory, job),
        sockets="unix" if order["kernel"] else "none",
        max_file_bytes=order["max_file_bytes"],
        max_tasks=order["max_tasks"],
        spawning=context.spawning,
    )
    render = Render(directory, job, handover, on_end=lambda: _wait_for_end(control))
    render.result["sandbox_s"] = time.monotonic() - began
    if order["kernel"]:
        render.run_kernel(order["kernel"])
    else:
        render.run(context.shell, context.recorder)
    _wait_for_end(control)


def _receive(control: socket.socket) -> dict[str, Any]:
    """Waits for the order; a host that has none any more lets its children go."""
    line = b""
    while not line.endswith(b"\n"):
        received = control.recv(65536)
        if not received:
            os._exit(0)
        line += received
    order: dict[str, Any] = json.loads(line)
    return order


def _offer_to_oom_killer() -> None:
    """Where memory runs out for the whole machine, a render ends, not the host of all renders."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def _writable(directory: Path, job: dict[str, Any]) -> list[str]:
    folders = ["work", "tmp", "home"]
    # A sample is made in the sandbox, and its path put into the inputs.
    inputs = ["inputs.json"] if job["spec"]["sample_rows"] else []
    return [str(directory / name) for name in (*folders, *inputs)]


def _redirect_streams(handover: Handover, recorder: Recorder) -> None:
    """Leads the descriptors 1 and 2 into files: what C code and other processes print arrives there."""
    for number, descriptor, stream in zip((1, 2), handover.streams, recorder.streams, strict=True):
        os.dup2(descriptor, number)
        stream.raw_fd = descriptor


def _wait_for_end(control: socket.socket) -> NoReturn:
    """Says that the result is written. The host ends this process and what it started; nothing is left to do."""
    control.sendall(b"done")
    while control.recv(16):
        continue
    os._exit(0)
