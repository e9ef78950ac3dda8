"""Records the responses of a real API server to this suite, and replays them without the server.

A recording is a JSON file with the responses for each test (a *chapter*) in order. It contains the names that tests
generate, so these depend only on the recording's seed and the test's name. To rename a test, record it again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests

DIRECTORY: Final = Path(__file__).parent / "recordings"
_MANIFESTS: Final = frozenset({"pipeline_manifest", "workflow_manifest"})
_KEPT_HEADERS: Final = ("content-type", "accept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: a value for JSON, otherwise text."""

    status: int
    body: Any

    def content(self) -> bytes:
        """Returns the encoded body."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Source(Protocol):
    """A source of responses."""

    chapter: str

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Returns the response to a request."""
        ...


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Forwards requests to a real server and records its responses.

    Attributes:
        host: the real server.
        file: the file of the recording.
        constants: large values that many responses repeat, by their names in the file.
    """

    host: str
    file: Path
    constants: dict[str, Any]
    seed: str = field(default_factory=lambda: str(os.getpid()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    chapter: str = ""
    _chapters: dict[str, list[list[Any]]] = field(default_factory=dict)
    _session: requests.Session = field(default_factory=requests.Session)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Sends the request to the real server."""
        self._session.trust_env = False
        found = self._session.request(method, f"{self.host}{target}", data=body, headers=headers, timeout=60)
        answer = Answer(status=found.status_code, body=_value(found.text))
        row = [method, _key(target), answer.status, _named(_kept(answer.body), self.constants)]
        self._chapters.setdefault(self.chapter, []).append(row)
        return answer

    def write(self) -> None:
        """Writes the recording, one response per line."""
        chapters = []
        for name, answers in self._chapters.items():
            rows = ",\n".join(json.dumps(row) for row in answers)
            chapters.append(f"{json.dumps(name)}: [\n{rows}]")
        head = f'"seed": {json.dumps(self.seed)}, "at": {json.dumps(self.at.isoformat())}'
        self.file.write_text(f'{{{head}, "chapters": {{\n{",".join(chapters)}}}}}\n')


@dataclass(slots=True, kw_only=True)
class Player:
    """Replays the responses of a recording."""

    seed: str
    at: datetime
    chapters: dict[str, list[list[Any]]]
    constants: dict[str, Any]
    chapter: str = ""
    _given: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: ARG002
        """Returns the next response to this request, and repeats the last one if there are no more."""
        key = (self.chapter, method, _key(target))
        rows = [row for row in self.chapters.get(self.chapter, []) if (row[0], row[1]) == key[1:]]
        if not rows:
            return Answer(status=599, body=f"The recording has no answer for {key}: record it again.")
        number = self._given.get(key, 0)
        self._given[key] = number + 1
        _, _, status, value = rows[min(number, len(rows) - 1)]
        return Answer(status=status, body=_unnamed(value, self.constants))


def read(file: Path, constants: dict[str, Any]) -> Player:
    """Reads a recording."""
    kept = json.loads(file.read_text())
    return Player(
        seed=kept["seed"], at=datetime.fromisoformat(kept["at"]), chapters=kept["chapters"], constants=constants
    )


@contextmanager
def serve(source: Source) -> Iterator[str]:
    """Serves a source's responses and yields the address."""
    handler = type("Served", (_Handler,), {"source": source})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes. Without this, the second would wait about 40 ms for the first's acknowledgement.
    disable_nagle_algorithm = True
    source: Source

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT_HEADERS}
        answer = self.source.answer(self.command, self.path, headers, body)
        content = answer.content()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer.body, str) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()


def _key(target: str) -> str:
    """Returns a request's path and query in a canonical form."""
    parts = urlsplit(target)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return f"{parts.path}?{json.dumps(query)}" if query else parts.path


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _kept(value: Any) -> Any:
    """Returns the part of a response that is recorded.

    It omits the stack traces of some errors, with paths of the machine that built the server, and everything of a
    workflow except its metadata.
    """
    if isinstance(value, dict):
        return {name: _metadata(item) if name in _MANIFESTS else _kept(item) for name, item in value.items()}
    if isinstance(value, str) and "\n\t/" in value:
        return value.partition("\n")[0]
    return [_kept(item) for item in value] if isinstance(value, list) else value


def _metadata(manifest: str) -> str:
    found = _value(manifest)
    return json.dumps({"metadata": found["metadata"]}) if isinstance(found, dict) else ""


def _named(value: Any, constants: dict[str, Any]) -> Any:
    for name, constant in constants.items():
        if value == constant:
            return {"$": name}
    if isinstance(value, dict):
        return {name: _named(item, constants) for name, item in value.items()}
    return [_named(item, constants) for item in value] if isinstance(value, list) else value


def _unnamed(value: Any, constants: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$"}:
            return constants[value["$"]]
        return {name: _unnamed(item, constants) for name, item in value.items()}
    return [_unnamed(item, constants) for item in value] if isinstance(value, list) else value
