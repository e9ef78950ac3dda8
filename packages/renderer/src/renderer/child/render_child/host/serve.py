"""Creates a host: imports the environment's libraries, warms them up with real work, then serves."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
import os
import signal
import socket
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from ..cells.capture import Recorder
from ..cells.shell import make_shell, make_streams
from ..page import display_defaults
from ..sandbox.confinement import SandboxError, describe, read_paths
from ..sandbox.probe import self_test
from . import processes
from .cgroups import Hierarchy
from .child_main import run_child
from .containment import Containment, choose, summary
from .hugepages import collapse_memory
from .log import log
from .loop import Host
from .meter import Meter
from .prefault import learn
from .prefork import WARM_CELLS, PreforkContext, rehearse, warm

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_SOURCE_SUFFIXES: Final = frozenset({".py", ".j2", ".js", ".css"})


def serve(options: dict[str, Any]) -> None:
    """Runs the host that `options` describe (see `renderer.host_spec`); returns when it is finished."""
    began = time.monotonic()
    parent = os.getppid()
    for name in ("listener", "lifeline"):
        os.set_inheritable(options[name], False)  # noqa: FBT003  (its signature)
    # Orphans of a render become children of this process, or of the first process of its namespace. Both reap them,
    # because a process that has ended counts against the render's limit until it is reaped.
    processes.become_subreaper()
    containment = _containment(options)
    if containment.outer_pid is None:
        # Trying out mechanisms takes a moment, in which the parent may have ended.
        processes.die_with_parent(signal.SIGTERM, parent)
    # Forked before the libraries are imported, which it does not need.
    meter = Meter()
    sys.path.insert(1, options["toolkits_dir"])
    watched = _times(options)
    recorder = Recorder()
    streams = make_streams(recorder)
    shell = make_shell(recorder)
    missing = _preload(options["preload"])
    paths = [*read_paths(), *options["read_paths"]]
    confinement = _confinement(options["sandbox"], paths)
    context = PreforkContext(shell, recorder, streams, confinement["mode"], paths, containment.spawning)
    toolkits = [Path(toolkit).name for toolkit in options["toolkits"]]
    _preload_toolkits(toolkits)
    display_defaults.configure(toolkits)
    warm(context, options["asset_index"])
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
        run_child=lambda control, results: run_child(control, results, context),
        meter=meter,
        status=status,
        options=options,
        has_changed=lambda: _times(options) != watched,
    )
    signal.signal(signal.SIGTERM, lambda *_: _end(host))
    status |= _prepare_memory(context)
    lifeline.sendall(b"ready\n")
    host.serve()


def _prepare_memory(context: PreforkContext) -> dict[str, Any]:
    """Makes forks and the first writes of children cheap; returns what it did, for the status."""
    # The collector never visits existing objects again, so their pages stay shared with the children.
    gc.collect()
    gc.freeze()
    huge_pages = collapse_memory()
    context.prefault_ranges.extend(learn(lambda: rehearse(context, WARM_CELLS)))
    size = sum(end - start for start, end in context.prefault_ranges)
    return {"huge_pages": huge_pages, "prefault_bytes": size}


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
    """Returns the containment for renders. Chosen before libraries are imported, because trying it out forks.

    Raises:
        OSError: the requested mechanism does not hold.
    """
    is_confined = options["sandbox"] != "none" and describe("landlock").mode != "none"
    return choose(options["termination"], Hierarchy.read(options["cgroups"]), is_confined=is_confined)


def _confinement(wanted: str, paths: list[str]) -> dict[str, Any]:
    """Returns the sandbox mode in force and its gaps, found by trying to break out.

    A sandbox that is requested by name and does not hold is an error; "auto" continues without one and reports that.

    Raises:
        SandboxError: "landlock" is requested but not available.
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
    """Returns the modification times of the files this process imports: its own, the toolkits', the watched ones."""
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
    """Imports the libraries; returns the names of those that failed."""
    missing = []
    handlers = list(logging.root.handlers)
    logging.disable(logging.WARNING)
    for name in modules:
        try:
            # Warnings of libraries about each other's versions belong neither in the log nor in a render.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  (a broken library must not take the others' renders with it)
            log(f"{name} cannot be imported: {error!r}")
            missing.append(name)
    # A library that logs during its import configures logging for all later renders.
    logging.root.handlers[:] = handlers
    logging.disable(logging.NOTSET)
    return missing


def _preload_toolkits(toolkits: list[str]) -> None:
    """Does what toolkits request in their modules `prefork`, if the environment has their libraries."""
    for toolkit in toolkits:
        if importlib.util.find_spec(f"{toolkit}.prefork"):
            prefork = importlib.import_module(f"{toolkit}.prefork")
            for name in prefork.MODULES:
                with suppress(ImportError):
                    importlib.import_module(f"{toolkit}.{name}")
            try:
                getattr(prefork, "warm", lambda: None)()
            except Exception as error:  # noqa: BLE001  (what is only quicker must not take renders with it)
                log(f"{toolkit}.prefork.warm: {error!r}")
