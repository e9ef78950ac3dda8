"""This machine's render hosts: which one serves an environment, and what they tell the rest of the portal."""

from __future__ import annotations

import json
import logging
import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from redis.exceptions import RedisError

from apps.visualizations.events import connection_get
from apps.visualizations.rendering import HostLostError, HostSpec, RenderHost, environments
from apps.visualizations.services.assets import assets_publish

# Directories in the place of work that belong to a command and not to a row.
LOCAL_PREFIX: Final = "local-"
_KEY: Final = "vizportal:host:"
_TELL_EVERY_S: Final = 20.0
# A host that is still importing is looked for again soon.
_SOON_S: Final = 2.0
_KEEP_S: Final = 90
_told_at: dict[str, float] = {}
logger = logging.getLogger(__name__)


def work_root() -> Path:
    """Returns where renders work; on the disk of the results, so that they can be moved there by renaming."""
    root = Path(settings.VIZPORTAL_DATA_DIR) / "work"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def run_dir() -> Path:
    """Returns where this machine's hosts have their sockets; containers may share the data directory, never a host."""
    return Path(settings.VIZPORTAL_DATA_DIR) / "run" / socket.gethostname()


def host_get(environment: environments.EnvironmentInfo) -> RenderHost:
    """Returns the host of a built environment; it is started by the first who connects."""
    assert environment.interpreter is not None  # noqa: S101  (callers refuse an environment that is not built)
    return _host(environment.key, environment.interpreter, environment.preload, work_root(), settings.VIZPORTAL_SANDBOX)


@lru_cache(maxsize=32)
def _host(key: str, interpreter: Path, preload: tuple[str, ...], root: Path, sandbox: str) -> RenderHost:
    spec = HostSpec(
        environment=key,
        interpreter=interpreter,
        run_dir=run_dir(),
        work_root=root,
        sandbox=sandbox,
        preload=preload,
        slots=max(settings.VIZPORTAL_WORKERS, 2),
        max_renders=settings.VIZPORTAL_HOST_MAX_RENDERS,
    )
    return RenderHost(spec)


def host_warm(key: str) -> None:
    """Starts an environment's host where it is built, and stays with it; does not wait for its libraries.

    The scripts that its results refer to are published first, where they are not yet.
    """
    info = environments.environment_get(key, settings.VIZPORTAL_ENVIRONMENTS_DIR)
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


def host_tell(key: str) -> None:
    """Publishes what an environment's host says of itself, at most each 20 s. Best effort: only displays need it."""
    if time.monotonic() - _told_at.get(key, float("-inf")) < _TELL_EVERY_S:
        return
    info = environments.environment_get(key, settings.VIZPORTAL_ENVIRONMENTS_DIR)
    _told_at[key] = time.monotonic()
    status = host_get(info).read_status() if info.interpreter else None
    if status is None:
        _told_at[key] += _SOON_S - _TELL_EVERY_S
        return
    machine = socket.gethostname()
    try:
        connection_get().set(f"{_KEY}{machine}:{key}", json.dumps({**status, "machine": machine}), ex=_KEEP_S)
    except (RedisError, OSError) as error:
        logger.info("host of %s: not told: %s", key, error)


def hosts_read() -> list[dict[str, Any]]:
    """Returns what the living hosts of all machines said of themselves within the last minute and a half.

    Raises:
        RedisError: the queue server does not answer.
    """
    connection = connection_get()
    keys = sorted(connection.scan_iter(match=f"{_KEY}*", count=100))
    values = connection.mget(keys) if keys else []
    return [json.loads(value) for value in values if value]
