"""What a real API server answered to this suite, written down once and given again where there is no such server.

A recording is a JSON file: the answers of each test (a *chapter*) in the order in which they were asked for. The names
that tests make up are part of it, so they follow from the recording's seed and the test's own name alone.
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
    """One answer: JSON as a value, anything else as text."""

    status: int
    body: Any

    def content(self) -> bytes:
        """Returns the body as it is sent."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Source(Protocol):
    """Where answers come from."""

    chapter: str

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answers one request."""
        ...


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Passes requests on to a real server, and keeps what it answers.

    Attributes:
        host: the real server.
        file: what the recording is written to.
        constants: large values that every answer repeats, by the name that stands for them in the file.
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
        """Asks the real server."""
        self._session.trust_env = False
        found = self._session.request(method, f"{self.host}{target}", data=body, headers=headers, timeout=60)
        answer = Answer(status=found.status_code, body=_value(found.text))
        row = [method, _key(target), answer.status, _named(_kept(answer.body), self.constants)]
        self._chapters.setdefault(self.chapter, []).append(row)
        return answer

    def write(self) -> None:
        """Writes the recording, one answer a line."""
        chapters = []
        for name, answers in self._chapters.items():
            rows = ",\n".join(json.dumps(row) for row in answers)
            chapters.append(f"{json.dumps(name)}: [\n{rows}]")
        head = f'"seed": {json.dumps(self.seed)}, "at": {json.dumps(self.at.isoformat())}'
        self.file.write_text(f'{{{head}, "chapters": {{\n{",".join(chapters)}}}}}\n')


@dataclass(slots=True, kw_only=True)
class Player:
    """Gives a recording's answers."""

    seed: str
    at: datetime
    chapters: dict[str, list[list[Any]]]
    constants: dict[str, Any]
    chapter: str = ""
    _given: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: ARG002
        """Gives the next answer to this question, and the last one again where someone asks more often."""
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
    """Serves a source's answers; yields the address."""
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
    # Head and body are two writes: the second would wait some 40 ms for the client to have seen the first.
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
    """Returns a request's path and query, in one spelling."""
    parts = urlsplit(target)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return f"{parts.path}?{json.dumps(query)}" if query else parts.path


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _kept(value: Any) -> Any:
    """Returns what is kept of an answer.

    Left out are the calls that some errors list, with the paths of the machine that built the server, and all of a
    workflow but its metadata.
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
