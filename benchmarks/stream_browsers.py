"""The browsers of `benchmarks.streams`, in a separate process: they hold a stream and fetch changes.

Reads a JSON line for each browser from the given file, then executes commands from stdin: `report` returns what was
measured since the last report, `total` since the last total; each as one line of JSON. Ends with its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.report import percentile

# As in static/js/live-renders.js: how often a waiting card polls while its stream is open, and without one.
_POLL_OPEN_S: Final = 30
_POLL_S: Final = 3
# How long a browser waits before it reconnects, unless the server specifies otherwise (Chromium's value).
_RETRY_S: Final = 3.0
# htmx waits indefinitely; this ends the measurement if no answer comes.
_ANSWER_S: Final = 300
_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "worst": 1.0}


class Seen:
    """The measurements of all browsers together; times in milliseconds.

    Attributes:
        open: streams that are currently open.
        told: how often a browser was told to look, in total.
    """

    def __init__(self) -> None:
        self.open = 0
        self.told = 0
        self._by_command = {"report": _Notes(), "total": _Notes()}

    def note(self, name: str, ms: float) -> None:
        """Records one measurement."""
        for notes in self._by_command.values():
            notes.delays.setdefault(name, array("d")).append(ms)

    def count(self, name: str) -> None:
        """Counts an event."""
        for notes in self._by_command.values():
            notes.counts[name] += 1

    def answer(self, command: str) -> dict[str, Any]:
        """Returns the counts and, by name, the number, p50, p95, p99 and worst; a total resets everything."""
        notes = self._by_command[command]
        for name in [command, "report"]:
            self._by_command[name] = _Notes()
        delays = {
            name: {"count": len(each)} | {key: round(percentile(each, share), 1) for key, share in _SHARES.items()}
            for name, each in notes.delays.items()
        }
        return {"open": self.open, "told": self.told, "counts": dict(notes.counts), "delays": delays}


@dataclass(slots=True)
class _Notes:
    counts: Counter[str] = field(default_factory=Counter)
    delays: dict[str, array[float]] = field(default_factory=dict)


class Browser:
    """One page with two live cards: one that only this person watches and one that everybody watches."""

    def __init__(self, seen: Seen, address: tuple[str, int], facts: dict[str, str]) -> None:
        self._seen = seen
        self._address = address
        self._cookie, self._own, self._common = facts["cookie"], facts["own"], facts["common"]
        self._retry_s = _RETRY_S
        # Pages were opened one after the other.
        self._asked_at = time.monotonic() - random.uniform(0, _POLL_OPEN_S)
        self._is_open = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def hold_stream(self) -> None:
        """Keeps a stream open, like EventSource."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._follow()
            if self._is_open:
                self._is_open = False
                self._seen.open -= 1
                self._seen.count("closed")
            await asyncio.sleep(self._retry_s)

    async def _follow(self) -> None:
        async with self._get(f"/events/?render={self._own}&render={self._common}") as (reader, status):
            if status != 200:
                self._seen.count(f"stream refused, {status}")
                return
            name = b""
            while line := await reader.readline():
                if not self._is_open and line.startswith(b":"):
                    self._is_open = True
                    self._seen.open += 1
                if line.startswith(b"retry: "):
                    self._retry_s = int(line[7:]) / 1000
                elif line.startswith(b"event: "):
                    name = line[7:].strip()
                elif line.startswith(b"data: "):
                    self._hear(name, line[6:])

    def _hear(self, name: bytes, data: bytes) -> None:
        if name == b"look":
            self._seen.told += 1
            self._start(self._look_later(json.loads(data)["within_ms"] / 1000))
            return
        event = json.loads(data)
        if event["id"] not in (self._own, self._common):
            self._seen.count("others' events")
            return
        # The event carries the publisher's clock, which is this machine's, in a field that is not needed here.
        self._seen.note("common" if event["id"] == self._common else "own", time.monotonic() * 1000 - event["cells"])
        if event["id"] == self._own:
            self._start(self._fetch("update", event["cells"]))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_later(self, within_s: float) -> None:
        await asyncio.sleep(random.uniform(0, within_s))
        await self._fetch("look", time.monotonic() * 1000)

    async def poll(self) -> None:
        """Fetches the card like htmx: every three seconds, except shortly after a fetch while its stream is open."""
        await asyncio.sleep(random.uniform(0, _POLL_S))
        while True:
            if not self._is_open or time.monotonic() - self._asked_at >= _POLL_OPEN_S:
                await self._fetch("poll", time.monotonic() * 1000)
            await asyncio.sleep(_POLL_S)

    async def _fetch(self, name: str, since_ms: float) -> None:
        self._asked_at = time.monotonic()
        try:
            path = f"/renders/{self._own}/fragment"
            async with asyncio.timeout(_ANSWER_S), self._get(path, is_poll=name != "update") as (reader, status):
                page = await reader.read()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self._seen.count(f"{name} failed, {type(error).__name__}")
            return
        if status != 200 or f'data-live="{self._own}"'.encode() not in page:
            self._seen.count(f"{name} refused, {status}")
            return
        self._seen.note(name, time.monotonic() * 1000 - since_ms)

    @contextlib.asynccontextmanager
    async def _get(self, path: str, *, is_poll: bool = False) -> Any:
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: sessionid={self._cookie}"]
            lines += ["X-Vizportal-Poll: 1"] if is_poll else []
            lines += ["HX-Request: true", "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode())
            answered = await reader.readuntil(b"\r\n\r\n")
            yield reader, int(answered.split(b" ", 2)[1])
        finally:
            writer.close()


async def main(host: str, port: int, people: list[dict[str, str]]) -> None:
    """Opens all browsers at once and executes commands from stdin."""
    seen = Seen()
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    browsers = [Browser(seen, (host, port), each) for each in people]
    tasks = [loop.create_task(work) for each in browsers for work in (each.hold_stream(), each.poll())]
    while command := await commands.readline():
        print(json.dumps(seen.answer(command.decode().strip())), flush=True)
        for task in tasks:
            if task.done():
                task.result()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    everybody = [json.loads(line) for line in Path(sys.argv[3]).read_text().splitlines()]
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), everybody))
