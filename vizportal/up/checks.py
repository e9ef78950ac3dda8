"""Checks before anything starts; each failure gives the remedy in one sentence."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import tempfile
from pathlib import Path
from typing import IO, Any


class CannotStartError(Exception):
    """The portal cannot start; the text says why, and what to do."""


def parse_bind(text: str, setting: str = "VIZPORTAL_BIND") -> tuple[str, int]:
    """Parses `host:port` or `[v6]:port`.

    Args:
        text: the value.
        setting: the name of the setting, for the message.

    Raises:
        CannotStartError: the value does not have this form.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise CannotStartError(f"{setting} must look like 127.0.0.1:8000, not {text!r}.")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_sign_in(host: str, auth: str) -> None:
    """Refuses a public address if every user is the administrator.

    Raises:
        CannotStartError: VIZPORTAL_AUTH=local on an address that others can reach.
    """
    if auth == "local" and not is_loopback(host):
        raise CannotStartError(
            f"VIZPORTAL_AUTH=local signs everybody in as administrator, so it cannot be bound to {host}. "
            "Bind 127.0.0.1, or set VIZPORTAL_AUTH=password."
        )


def kfp_service_address(settings: Any) -> tuple[str, int]:
    """Returns host and port for Kubeflow's visualization protocol.

    Kubeflow's API server sends no credentials, so everybody who reaches the address may render. A public address is
    therefore accepted only if a setting allows it, or if a token is required.

    Raises:
        CannotStartError: not an address, or a public one without either.
    """
    host, port = parse_bind(settings.VIZPORTAL_KFP_SERVICE_BIND, "VIZPORTAL_KFP_SERVICE_BIND")
    is_meant = settings.VIZPORTAL_KFP_SERVICE_OPEN or settings.VIZPORTAL_KFP_SERVICE_TOKEN
    if not is_loopback(host) and not is_meant:
        raise CannotStartError(
            f"Anyone who reaches VIZPORTAL_KFP_SERVICE_BIND={host}:{port} can render there without signing in. Bind "
            "127.0.0.1, or set VIZPORTAL_KFP_SERVICE_TOKEN, or VIZPORTAL_KFP_SERVICE_OPEN=true where only Kubeflow's "
            "API server reaches it."
        )
    return host, port


def require_free_port(host: str, port: int, setting: str = "VIZPORTAL_BIND") -> None:
    """Refuses a port on which another process listens.

    Args:
        host: the address to bind.
        port: the port.
        setting: the name of the setting, for the message.

    Raises:
        CannotStartError: the port is taken, or cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStartError(
                f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with {setting}={host}:PORT."
            ) from error


# How many ports after the preferred one are tried before any free one is taken.
_MOST_PORTS = 20


def find_free_port(host: str, preferred: int = 0) -> int:
    """Returns `preferred` or the first free port after it, so that it is usually the same; any free port for 0."""
    following = range(preferred, min(preferred + _MOST_PORTS, 65536)) if preferred else ()
    for port in (*following, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise CannotStartError(f"There is no free port on {host}.")


def prepare_data_dir(data_dir: Path) -> None:
    """Creates the data directory and its subfolders, readable by their owner only.

    Raises:
        CannotStartError: it cannot be created or written.
    """
    try:
        for name in ("", "logs", "valkey", "localkfp", "results"):
            (data_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise CannotStartError(
            f"Cannot write to the data directory {data_dir}: {error.strerror}. Choose another with VIZPORTAL_DATA_DIR."
        ) from error


def lock_data_dir(data_dir: Path) -> IO[str]:
    """Locks the data directory until the returned file is closed or the process ends.

    Raises:
        CannotStartError: another `up` holds the lock.
    """
    file = (data_dir / "up.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise CannotStartError(
            f"vizportal already runs on {data_dir} (process {holder}). Stop it, or choose another VIZPORTAL_DATA_DIR."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
