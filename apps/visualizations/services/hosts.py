"""This machine's render hosts: which one serves an environment, and what they tell the rest of the portal."""

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

# Directories in the place of work that belong to a command and not to a row.
LOCAL_PREFIX: Final = "local-"
# A command that was killed leaves its directory; no command takes a day.
_LOCAL_KEEP_S: Final = 24 * 3600
_KEY: Final = "vizportal:host:"
_TELL_EVERY_S: Final = 20.0
# A host that is still importing is looked for again soon.
_SOON_S: Final = 2.0
_LOOK_S: Final = 0.1
_LEAST_FREE_BYTES: Final = 16 * 1024**2
_PAUSED_KEY: Final = "vizportal:paused:"
_PAUSED_KEEP_S: Final = 30
PAUSE_S: Final = 10.0
_KEEP_S: Final = 90
_told_at: dict[str, float] = {}
# Environments this process has rendered in: their hosts are kept from then on.
_wanted: set[str] = set()
logger = logging.getLogger(__name__)


def work_root() -> Path:
    """Returns where renders work."""
    root = Path(settings.VIZPORTAL_DATA_DIR) / "work"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def work_root_trouble() -> str:
    """Returns why this machine cannot render now, in words; "" where it can."""
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
    """Waits up to PAUSE_S while this machine cannot render, and publishes why.

    The worker then takes a render all the same, which ends with the reason.

    Args:
        on_wait: called about each second; False ends the pause.
    """
    until = time.monotonic() + PAUSE_S
    while (trouble := work_root_trouble()) and time.monotonic() < until and on_wait():
        logger.error("this worker pauses: %s", trouble)
        with suppress(RedisError, OSError):
            connection_get().set(f"{_PAUSED_KEY}{worker}", trouble, ex=_PAUSED_KEEP_S)
        threading.Event().wait(1)


def pauses_read() -> list[str]:
    """Returns why workers take no renders for the moment, one text for each of them.

    Raises:
        RedisError: the queue server does not answer.
    """
    connection = connection_get()
    keys = sorted(connection.scan_iter(match=f"{_PAUSED_KEY}*", count=100))
    return [value.decode("utf-8", "replace") for value in (connection.mget(keys) if keys else []) if value]


def work_dirs_sweep() -> int:
    """Removes this machine's work directories of attempts that no longer run; returns how many."""
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
    """Returns where this machine's hosts have their sockets; containers may share the data directory, never a host."""
    return Path(settings.VIZPORTAL_DATA_DIR) / "run" / socket.gethostname()


def host_get(environment: EnvironmentInfo) -> RenderHost:
    """Returns the host of a built environment; it is started by the first who connects."""
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
    """Waits until a host has its libraries imported; starts it where there is none.

    Args:
        on_wait: called a few times a second; an exception from it ends the wait and is raised.

    Raises:
        MachineError: it did not start, or not within VIZPORTAL_HOST_START_S.
    """
    try:
        host.stay()
        while host.read_status() is None:
            if host.supervisor_pid() is None:
                raise host.failure() or HostLostError(f"The environment {host.spec.environment!r} does not start.")
            on_wait()
            threading.Event().wait(_LOOK_S)
    except HostLostError as error:
        # A process that can open nothing cannot tell whether a host starts: an OSError says so.
        with Path(os.devnull).open("rb"):
            logger.error("%s", error)
        raise MachineError(str(error), code=Reason.HOST_FAILED) from error


def host_want(key: str) -> None:
    """Says that this process renders in an environment: its host is worth keeping."""
    _wanted.add(key)


def host_is_wanted(key: str) -> bool:
    """Whether this process has rendered in an environment."""
    return key in _wanted


def host_warm(key: str) -> None:
    """Starts an environment's host where it is built, and stays with it; does not wait for its libraries.

    The scripts that its results refer to are published first, where they are not yet.
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
    """Publishes what an environment's host says of itself, at most each 20 s. Best effort: only displays need it."""
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
    """Returns what a host's worker adds to what the host says: machine, and pss_bytes and rss_bytes where known."""
    info = environments().get(key)
    memory = host_memory(host_get(info)) if info.interpreter else None
    return {"machine": socket.gethostname(), **(asdict(memory) if memory else {})}


def hosts_memory() -> list[dict[str, Any]]:
    """Returns environment, machine, pss_bytes and rss_bytes of each host that runs on this machine."""
    measured = [{"environment": info.key, **_on_this_machine(info.key)} for info in environments().get_all()]
    return [host for host in measured if "pss_bytes" in host]


def environment_available(key: str) -> bool:
    """Whether somebody can render in an environment: it is built here, or a host of it on another machine lives.

    One of VIZPORTAL_REMOTE_ENVIRONMENTS can always be: its workers may be started only once something waits for them.
    Where the queue server does not answer only this machine and that setting count.
    """
    info = environments().get(key)
    if info.is_built or key in settings.VIZPORTAL_REMOTE_ENVIRONMENTS:
        return True
    try:
        return next(connection_get().scan_iter(match=f"{_KEY}*:{key}", count=100), None) is not None
    except (RedisError, OSError):
        return False


def environment_missing(key: str) -> str:
    """Returns the words for an environment that is nowhere."""
    return (
        f"It runs in the environment {key!r}, which is not built here. "
        f"An administrator can build it: manage.py environments build {key}"
    )


def hosts_read() -> list[dict[str, Any]]:
    """Returns what the living hosts of all machines said of themselves within the last minute and a half.

    Raises:
        RedisError: the queue server does not answer.
    """
    connection = connection_get()
    keys = sorted(connection.scan_iter(match=f"{_KEY}*", count=100))
    values = connection.mget(keys) if keys else []
    return [json.loads(value) for value in values if value]
