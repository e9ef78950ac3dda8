"""Clients that request renders and keep retrying through faults."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.installation import Installation
from tests.waiting import wait_until

ENDED = frozenset({"succeeded", "failed", "timed_out", "cancelled", "lost"})
# Three seconds of work that prints its mark.
SLOW = "import time\nfor _ in range(30):\n    time.sleep(0.1)\nprint('slow {mark} done')"


def ask(house: Installation, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Sends one request without retries; returns the status and the decoded body."""
    connection = http.client.HTTPConnection(*house.address, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {house.token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()
    finally:
        connection.close()


def insist(house: Installation, method: str, path: str, body: Any = None, seconds: float = 120) -> Any:
    """Sends a request and retries refused connections and 5xx; returns the decoded body."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            status, answer = ask(house, method, path, body)
            if status < 500:
                assert status in (200, 202), (status, answer)
                return answer
        except (OSError, http.client.HTTPException) as error:
            answer = error
        assert time.monotonic() < deadline, (method, path, answer)
        time.sleep(0.5)


def workers(house: Installation) -> int:
    """Returns the number of workers that the portal reports; 0 while it does not answer."""
    try:
        status, answer = ask(house, "GET", "/readyz")
    except (OSError, http.client.HTTPException):
        return 0
    return int(answer["workers"]["count"]) if status == 200 else 0


@dataclass(slots=True)
class Clients:
    """Concurrent clients, each with one render at a time.

    Attributes:
        step: the `run_id` and `step_id` that all renders belong to.
        ends: the request and the ended render, by title.
    """

    house: Installation
    step: dict[str, str]
    count: int
    each: int
    ends: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _at_work: list[Future[None]] = field(default_factory=list)

    def start(self, pool: ThreadPoolExecutor) -> None:
        """Starts all clients."""
        self._at_work = [pool.submit(self._work, client) for client in range(self.count)]

    def await_ended(self, number: int, seconds: float = 300) -> None:
        """Waits until that many renders have ended; a failed client fails the test at once."""

        def have() -> bool:
            for each in self._at_work:
                if each.done():
                    each.result()
            return len(self.ends) >= number

        wait_until(have, seconds, f"{number} ended renders, {len(self.ends)} have")

    def _work(self, client: int) -> None:
        for number in range(self.each):
            body = self.step | self._order(f"{client}-{number}", is_slow=number % 5 == 4)
            render = insist(self.house, "POST", "/api/v1/visualizations", body)["render"]
            while render["state"] not in ENDED:
                time.sleep(0.5)
                render = insist(self.house, "GET", f"/api/v1/renders/{render['id']}")
            with self._lock:
                self.ends[body["title"]] = (body, render)

    def _order(self, mark: str, *, is_slow: bool) -> dict[str, str]:
        """Returns a request: a table of a new file in S3, or slow custom code."""
        if is_slow:
            return {"type": "custom", "code": SLOW.format(mark=mark), "title": mark}
        content = f"word,number\nmark{mark},1\n".encode()
        self.house.s3.put_object(Bucket="data", Key=f"{mark}.csv", Body=content)
        return {"type": "table", "source": f"s3://data/{mark}.csv", "title": mark}
