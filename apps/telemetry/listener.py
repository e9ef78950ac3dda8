"""A small HTTP listener for processes that serve no pages: `/healthz` and `/metrics`, each answered in a thread."""

from __future__ import annotations

import hmac
import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from prometheus_client.core import Metric

from apps.telemetry.exposition import encode

_TIMEOUT_S: Final = 5
logger = logging.getLogger(__name__)


class Listener:
    """Listens until it is stopped.

    Args:
        bind: `host:port`; an empty host means all addresses.
        is_alive: called by `/healthz` from another thread; determines 200 or 503.
        read_metrics: returns the metrics of `/metrics` in addition to the process's own.
        token: the bearer token that `/metrics` requires; "" for none.
    """

    def __init__(
        self, bind: str, *, is_alive: Callable[[], bool], read_metrics: Callable[[], Iterable[Metric]], token: str = ""
    ) -> None:
        self._bind = bind
        self._is_alive, self._read_metrics, self._token = is_alive, read_metrics, token
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 if it does not listen."""
        return int(self._server.server_address[1]) if self._server else 0

    def start(self) -> bool:
        """Starts listening.

        Returns:
            False if the address cannot be used, which is logged: only one of a machine's workers gets it.
        """
        host, _, port = self._bind.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), partial(_Handler, self._answer))
        except (OSError, ValueError, OverflowError) as error:
            logger.warning("no listener on %s: %s", self._bind, error)
            return False
        threading.Thread(target=self._server.serve_forever, name="listener", daemon=True).start()
        return True

    def stop(self) -> None:
        """Stops listening; does nothing if it never started."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, path: str, headers: Any) -> tuple[int, str, bytes]:
        plain = "text/plain; charset=utf-8"
        if path == "/healthz":
            return (200, plain, b"alive\n") if self._is_alive() else (503, plain, b"stuck\n")
        if path != "/metrics":
            return 404, plain, b"not found\n"
        sent = headers.get("Authorization", "").encode()
        if self._token and not hmac.compare_digest(sent, f"Bearer {self._token}".encode()):
            return 401, plain, b"Send Authorization: Bearer <VIZPORTAL_METRICS_TOKEN>.\n"
        body, content_type = encode(self._read_metrics(), headers.get("Accept", ""))
        return 200, content_type, body


class _Handler(BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server_version, sys_version = "vizportal", ""

    def __init__(self, answer: Callable[[str, Any], tuple[int, str, bytes]], *args: Any) -> None:
        self._answer = answer
        super().__init__(*args)

    def do_GET(self) -> None:
        status, content_type, body = self._answer(self.path, self.headers)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug(format, *args)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Otherwise two workers would share a port, and each would get some of the requests.
    allow_reuse_port = False
