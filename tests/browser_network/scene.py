"""Opens pages in a browser on a machine without a network, and counts every lookup, connection and request.

Root runs it in separate network and mount namespaces (`unshare --net --mount`). It reads
`{"answers": {path: {"headers", "body"}}, "pages": [{"host", "path", "click", "is_awaited"}]}` and writes lines of JSON:
`{"host", "error"}` for a page that could not be opened, and at the end `{"seen": {name: {"lookups": 1, ...}}}`.
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Error, sync_playwright

from tests.chromium import executable

_PORTAL: Final = ("127.0.0.1", 8000)
_PORTS: Final = (80, 443, 3478)
# Playwright disables speculative actions of an ordinary browser.
_UNUSUAL: Final = ("--disable-background-networking", "--disable-field-trial-config")
_BATCH: Final = 21
_WAIT_S: Final = 4.0
_QUIET_MS: Final = 700
# Counts for each name: {"lookups": 1, "connections": 1, "requests": 1, "packets": 1}.
_seen: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
# Each foreign name has its own address, which identifies the target of a connection without data.
_addresses: dict[str, str] = {}
_names: dict[str, str] = {}
_changed = threading.Condition()


def note(host: str, what: str) -> None:
    with _changed:
        _seen[host][what] += 1
        _changed.notify_all()


def address_of(name: str) -> str:
    with _changed:
        number = len(_addresses) + 1
        address = _addresses.setdefault(name, f"127.1.{number // 250}.{number % 250 + 1}")
        _names[address] = name
        return address


class Names(socketserver.BaseRequestHandler):
    """Resolves each name to the foreign listener's address, and records the name."""

    def handle(self) -> None:
        data, sock = self.request
        name, end = _read_name(data)
        kind = int.from_bytes(data[end : end + 2])
        name = name.lower()
        note(name, "lookups")
        question = data[12 : end + 4]
        has_answer = kind == 1
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + socket.inet_aton(address_of(name)) if has_answer else b""
        header = data[:2] + b"\x81\x80\0\1" + (b"\0\1" if has_answer else b"\0\0") + b"\0\0\0\0"
        sock.sendto(header + question + answer, self.client_address)


def _read_name(data: bytes) -> tuple[str, int]:
    parts, at = [], 12
    while length := data[at]:
        parts.append(data[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(parts), at + 1


class Foreign(socketserver.StreamRequestHandler):
    """Accepts a connection, reads the request, and responds like a careless server."""

    timeout = 3

    def handle(self) -> None:
        name = _names.get(self.request.getsockname()[0], "?")
        note(name, "connections")
        try:
            if self.rfile.readline(4096).endswith(b"HTTP/1.1\r\n"):
                note(name, "requests")
                while self.rfile.readline(4096) not in (b"\r\n", b"\n", b""):
                    pass
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nAccess-Control-Allow-Origin: *\r\n\r\nx")
        except OSError:
            pass


class Site(BaseHTTPRequestHandler):
    """Serves the given responses in place of the portal."""

    answers: dict[str, dict[str, Any]] = {}

    def do_GET(self) -> None:
        found = self.answers.get(self.path)
        if self.path.startswith("/assets/"):
            note(f"{self.headers['Host']}{self.path}", "requests")
        if found is None:
            self.send_error(404)
            return
        self.send_response(200)
        for name, value in found["headers"].items():
            self.send_header(name, value)
        body = found["body"].encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _listen() -> None:
    # WebRTC gathers no candidates if there is only the loopback interface.
    for command in (
        "link set lo up",
        "link add net0 type veth peer name net1",
        "address add 10.0.0.2/24 dev net0",
        "link set net0 up",
        "link set net1 up",
        "route add default via 10.0.0.1",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    place = Path(tempfile.mkdtemp())
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        (place / name).write_text(text)
        subprocess.run(["mount", "--bind", str(place / name), f"/etc/{name}"], check=True)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    servers: list[Any] = [socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names), ThreadingHTTPServer(_PORTAL, Site)]
    servers += [socketserver.ThreadingTCPServer(("0.0.0.0", port), Foreign) for port in _PORTS]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()


def _open(context: Any, page: dict[str, Any]) -> None:
    opened = context.new_page()
    opened.goto(f"http://127.0.0.1:8000{page['path']}", wait_until="domcontentloaded")
    if page["click"]:
        opened.frame_locator("iframe").first.locator(page["click"]).click(timeout=10_000)


def _wait(hosts: list[str]) -> None:
    with _changed:
        _changed.wait_for(lambda: all(_seen.get(host) for host in hosts), _WAIT_S)


@contextmanager
def ordinary_browser() -> Iterator[Any]:
    """Yields a browser with a profile on disk, since a private one makes no speculative lookups."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable(), args=["--no-sandbox"], ignore_default_args=list(_UNUSUAL)
        )
        yield context
        context.close()


def main() -> None:
    given = json.load(sys.stdin)
    Site.answers = given["answers"]
    _listen()
    with ordinary_browser() as context:
        for start in range(0, len(given["pages"]), _BATCH):
            pages = given["pages"][start : start + _BATCH]
            for page in pages:
                try:
                    _open(context, page)
                except Error as error:
                    print(json.dumps({"host": page["host"], "error": str(error)[:500]}), flush=True)
            # Attempts and their controls are in one batch. Once the controls' traces are seen, others would be too.
            _wait([page["host"] for page in pages if page["is_awaited"]])
            context.pages[0].wait_for_timeout(_QUIET_MS)
            for opened in context.pages[1:]:
                opened.close()
    with _changed:
        print(json.dumps({"seen": {name: dict(counts) for name, counts in _seen.items()}}), flush=True)


if __name__ == "__main__":
    main()
