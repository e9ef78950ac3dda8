"""`python -m localkfp --host 127.0.0.1 --port N --data-dir DIR`: serves until it receives SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn

from localkfp import experiments_api
from localkfp.app import create_app
from localkfp.guard import is_loopback
from localkfp.places import Places
from localkfp.samples import load_samples
from localkfp.scheduler import TOKEN_VARIABLE, Scheduler
from localkfp.store import Store

# The path used by `manage.py environments build steps`, relative to the working directory.
_STEPS_PYTHON: Final = Path(".environments/steps/bin/python")


class _Server(uvicorn.Server):
    """Prints the address in one line once it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            name = f"[{host}]" if ":" in host else host
            print(f"localkfp serves http://{name}:{port}", flush=True)  # noqa: T201


def main() -> int:
    """Serves; returns the exit code."""
    options = read_options()
    token = _token()
    if not is_loopback(options.host) and not token:
        return _refuse(
            f"{options.host} is not loopback, and this server runs the code it is given: set {TOKEN_VARIABLE}"
        )
    if not options.steps_python.is_file():
        return _refuse(f"no interpreter for the steps at {options.steps_python}: build that environment first")
    places = Places(root=options.data_dir.resolve())
    try:
        places.make()
        with _only_one(places), _bound(options.host, options.port) as listener:
            return _serve(places, options, listener, token)
    except OSError as error:
        return _refuse(str(error))


def _token() -> str:
    """Returns the token that requests must carry, from the variable or from the file it names; "" for none."""
    path = os.environ.get(f"{TOKEN_VARIABLE}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(TOKEN_VARIABLE, "")


def _serve(places: Places, options: argparse.Namespace, listener: socket.socket, token: str) -> int:
    store = Store(path=places.database)
    store.create()
    experiments_api.default_experiment(store)
    if options.samples:
        load_samples(store, places)
    # A virtual environment's interpreter is a link; the resolved path would belong to another environment.
    scheduler = Scheduler(store, places, options.steps_python.absolute())
    app = create_app(places, store, scheduler, token=token, portal_url=options.portal_url)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    # uvicorn raises the signal again after its clean shutdown; these handlers make that harmless.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = _Server(config)
    server.run(sockets=[listener])
    store.close()
    return 0 if server.started else 1


def read_options() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m localkfp", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8888, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--data-dir", type=Path, required=True, help="keeps everything")
    parser.add_argument(
        "--portal-url", default="", help="where the links that kfp.Client prints lead (default: nowhere)"
    )
    parser.add_argument("--samples", action="store_true", help="upload and run the samples at first start")
    parser.add_argument(
        "--steps-python",
        type=Path,
        default=Path(os.environ.get("VIZPORTAL_STEPS_PYTHON", _STEPS_PYTHON)).absolute(),
        help="interpreter that the pipelines' steps run in (default: %(default)s)",
    )
    return parser.parse_args()


def _refuse(text: str) -> int:
    print(f"localkfp: {text}", file=sys.stderr)  # noqa: T201
    return 2


@contextmanager
def _only_one(places: Places) -> Iterator[None]:
    """Locks the data directory: two servers on one directory would each fail the other's runs."""
    with (places.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(f"another localkfp already uses {places.root}") from error
        yield


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is given; without it, each response waits 40 ms for an ACK.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OSError(f"cannot listen on {host} port {port}: {error.strerror}") from error
        yield listener


if __name__ == "__main__":
    sys.exit(main())
