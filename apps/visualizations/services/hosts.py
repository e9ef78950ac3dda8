"""This machine's render hosts: which host serves an environment, and the status that it publishes."""

from __future__ import annotations

import json
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from redis.exceptions import RedisError
from renderer import EnvironmentInfo, HostLostError, HostSpec, RenderHost, host_memory
from renderer.clearing import tree_remove
from vizkit import TOOLKIT_DIR

from apps.visualizations.environments import environments
from apps.visualizations.events import connection_get
from apps.visualizations.exceptions import MachineError
from apps.visualizations.models import Render
from apps.visualizations.services.assets import assets_publish
from apps.visualizations.states import Reason, RenderState

# Prefix of work directories that belong to a command and not to a render's row.
LOCAL_PREFIX: Final = "local-"
# A killed command leaves its directory behind; no command runs for a day.
_LOCAL_KEEP_S: Final = 24 * 3600
_KEY: Final = "vizportal:host:"
_TELL_EVERY_S: Final = 20.0
# A host that is still importing is polled again soon.
_SOON_S: Final = 2.0
_LOOK_S: Final = 0.1
_LEAST_FREE_BYTES: Final = 16 * 1024**2
_PAUSED_KEY: Final = "vizportal:paused:"
_PAUSED_KEEP_S: Final = 30
PAUSE_S: Final = 10.0
_KEEP_S: Final = 90
_told_at: dict[str, float] = {}
# Environments that this process has rendered in; their hosts are kept running.
_wanted: set[str] = set()
logger = logging.getLogger(__name__)


def work_root() -> Path:
    """Returns the directory in which renders work, created if missing."""
    root = Path(settings.VIZPORTAL_DATA_DIR) / "work"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def work_root_trouble() -> str:
    """Returns a message saying why this machine cannot render now; "" if it can."""
    try:
        root = work_root()
        with tempfile.TemporaryFile(dir=root) as file:
            file.write(b"x" * 4096)
            file.flush()
        found = os.statvfs(root)
    except OSError as error:
        return f"The work directory cannot be used: {error.strerror or type(error).__name__}."
    free_bytes = found.f_bavail * found.f_frsize
    return "" if free_bytes >= _LEAST_FREE_BYTES else "The disk of the work directory is full."


def work_root_await(worker: str, on_wait: Callable[[], bool]) -> None:
    """Waits up to PAUSE_S while this machine cannot render, and publishes the reason.

    Afterwards the worker takes a render anyway, and the render ends with that reason.

    Args:
        on_wait: called about once a second; returning False ends the wait.
    """
    until = time.monotonic() + PAUSE_S
    while (trouble := work_root_trouble()) and time.monotonic() < until and on_wait():
        logger.error("this worker pauses: %s", trouble)
        with suppress(RedisError, OSError):
            connection_get().set(f"{_PAUSED_KEY}{worker}", trouble, ex=_PAUSED_KEEP_S)
        threading.Event().wait(1)


def pauses_read() -> list[str]:
    """Returns why workers are pausing, one message per worker.

    Raises:
        RedisError: the queue server does not answer.
    """
    connection = connection_get()
    keys = sorted(connection.scan_iter(match=f"{_PAUSED_KEY}*", count=100))
    return [value.decode("utf-8", "replace") for value in (connection.mget(keys) if keys else []) if value]


def work_dirs_sweep() -> int:
    """Removes this machine's work directories whose attempts no longer run; returns how many."""
    removed = 0
    for path in work_root().iterdir():
        if not _is_at_work(path):
            tree_remove(path)
            removed += 1
    return removed


def _is_at_work(path: Path) -> bool:
    if path.name.startswith(LOCAL_PREFIX):
        return time.time() - path.stat().st_mtime < _LOCAL_KEEP_S
    render_id, _, rest = path.name.partition(".")
    attempt = rest.partition(".")[0]
    try:
        chosen = Render.objects.filter(id=UUID(render_id), attempt=int(attempt))
    except ValueError:
        return False
    return chosen.filter(state=RenderState.RUNNING).exists()


def run_dir() -> Path:
    """Returns the directory of this machine's host sockets; containers may share the data directory but not hosts."""
    return Path(settings.VIZPORTAL_DATA_DIR) / "run" / socket.gethostname()


def host_get(environment: EnvironmentInfo) -> RenderHost:
    """Returns the host of a built environment; the first client to connect starts it."""
    assert environment.interpreter is not None  # noqa: S101  (callers refuse an environment that is not built)
    confined_by = (settings.VIZPORTAL_SANDBOX, settings.VIZPORTAL_TERMINATION)
    return _host(environment.key, environment.interpreter, environment.preload, work_root(), confined_by)


@lru_cache(maxsize=32)
def _host(
    key: str, interpreter: Path, preload: tuple[str, ...], root: Path, confined_by: tuple[str, str]
) -> RenderHost:
    sandbox, termination = confined_by
    spec = HostSpec(
        environment=key,
        interpreter=interpreter,
        run_dir=run_dir(),
        work_root=root,
        sandbox=sandbox,
        termination=termination,
        preload=preload,
        toolkits=(TOOLKIT_DIR,),
        slots=max(settings.VIZPORTAL_WORKERS, 2),
        max_renders=settings.VIZPORTAL_HOST_MAX_RENDERS,
        start_timeout_s=settings.VIZPORTAL_HOST_START_S,
    )
    return RenderHost(spec)


def host_await(host: RenderHost, on_wait: Callable[[], None]) -> None:
    """Waits until a host has imported its libraries; starts the host if there is none.

    Args:
        on_wait: called several times a second; an exception from it ends the wait and propagates.

    Raises:
        MachineError: the host did not start, or not within VIZPORTAL_HOST_START_S.
    """
    try:
        host.stay()
        while host.read_status() is None:
            if host.supervisor_pid() is None:
                raise host.failure() or HostLostError(f"The environment {host.spec.environment!r} does not start.")
            on_wait()
            threading.Event().wait(_LOOK_S)
    except HostLostError as error:
        # A process without free file descriptors cannot tell whether a host starts: opening a file raises that OSError.
        with Path(os.devnull).open("rb"):
            logger.error("%s", error)
        raise MachineError(str(error), code=Reason.HOST_FAILED) from error


def host_want(key: str) -> None:
    """Marks an environment's host as worth keeping: this process renders in it."""
    _wanted.add(key)


def host_is_wanted(key: str) -> bool:
    """Whether this process has rendered in an environment."""
    return key in _wanted


def host_warm(key: str) -> None:
    """Starts the host of a built environment and stays connected; does not wait for its libraries.

    Publishes the scripts that its results refer to first, if they are not yet stored.
    """
    info = environments().get(key)
    if info.interpreter is None:
        return
    _publish(info.interpreter.parent.parent)
    try:
        host_get(info).stay()
    except HostLostError as error:
        logger.error("environment %s: %s", key, error)


@lru_cache(maxsize=32)
def _publish(environment_dir: Path) -> None:
    assets_publish(environment_dir)


def host_publish(key: str) -> None:
    """Publishes the status of an environment's host, at most every 20 s. Best effort: only displays need it."""
    if time.monotonic() - _told_at.get(key, float("-inf")) < _TELL_EVERY_S:
        return
    info = environments().get(key)
    _told_at[key] = time.monotonic()
    status = host_get(info).read_status() if info.interpreter else None
    if status is None:
        _told_at[key] += _SOON_S - _TELL_EVERY_S
        return
    facts = {**status, **_on_this_machine(key)}
    try:
        connection_get().set(f"{_KEY}{facts['machine']}:{key}", json.dumps(facts), ex=_KEEP_S)
    except (RedisError, OSError) as error:
        logger.info("host of %s: not told: %s", key, error)


def _on_this_machine(key: str) -> dict[str, Any]:
    """Returns what the worker adds to a host's status: machine, and pss_bytes and rss_bytes where known."""
    info = environments().get(key)
    memory = host_memory(host_get(info)) if info.interpreter else None
    return {"machine": socket.gethostname(), **(asdict(memory) if memory else {})}


def hosts_memory() -> list[dict[str, Any]]:
    """Returns environment, machine, pss_bytes and rss_bytes of each host running on this machine."""
    measured = [{"environment": info.key, **_on_this_machine(info.key)} for info in environments().get_all()]
    return [host for host in measured if "pss_bytes" in host]


def environment_available(key: str) -> bool:
    """Whether an environment can be used: it is built here, or another machine has a live host for it.

    Environments in VIZPORTAL_REMOTE_ENVIRONMENTS always count: their workers may only start once something is queued.
    If the queue server does not answer, only this machine and that setting count.
    """
    info = environments().get(key)
    if info.is_built or key in settings.VIZPORTAL_REMOTE_ENVIRONMENTS:
        return True
    try:
        return next(connection_get().scan_iter(match=f"{_KEY}*:{key}", count=100), None) is not None
    except (RedisError, OSError):
        return False


def environment_missing(key: str) -> str:
    """Returns the message for an environment that is not available anywhere."""
    return (
        f"It runs in the environment {key!r}, which is not built here. "
        f"An administrator can build it: manage.py environments build {key}"
    )


def hosts_read() -> list[dict[str, Any]]:
    """Returns the status of the live hosts of all machines, as published within the last 90 seconds.

    Raises:
        RedisError: the queue server does not answer.
    """
    connection = connection_get()
    keys = sorted(connection.scan_iter(match=f"{_KEY}*", count=100))
    values = connection.mget(keys) if keys else []
    return [json.loads(value) for value in values if value]
