"""The participants of `benchmarks.streams`: people, their renders, the process of their browsers, and events."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.house import House

_ROOT: Final = Path(__file__).resolve().parents[1]


def make_people(count: int) -> tuple[list[dict[str, str]], list[Any], Any, str]:
    """Creates signed-in people, a waiting render for each, and one that all of them watch.

    Returns:
        The facts for each browser, the people's own renders, the common one, and the path of a page.
    """
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    from apps.visualizations.models import Render, Visualization

    people = get_user_model().objects.bulk_create([get_user_model()(username=f"person{n}") for n in range(count)])
    pictures = Visualization.objects.bulk_create(
        [Visualization(title=f"Picture {n}", type_key="table", owner=people[n % count]) for n in range(count + 1)]
    )
    values = {"number": 1, "code": "1", "type_version": "1", "environment": "base", "timeout_s": 100}
    renders = Render.objects.bulk_create([Render(visualization=each, **values) for each in pictures])
    *own, common = renders
    browsers = []
    for person, render in zip(people, own, strict=True):
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        browsers.append({"cookie": str(session.session_key), "own": str(render.id), "common": str(common.id)})
    return browsers, own, common, pictures[0].get_absolute_url()


class Browsers:
    """The process that holds the streams."""

    def __init__(self, house: House, people: list[dict[str, str]]) -> None:
        self.count = len(people)
        file = house.directory / "browsers"
        file.write_text("".join(json.dumps(each) + "\n" for each in people))
        call = [sys.executable, "-m", "benchmarks.stream_browsers", "127.0.0.1", str(house.web_port), str(file)]
        self._process: Any = subprocess.Popen(
            call, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def report(self) -> dict[str, Any]:
        """Returns the measurements since the last report."""
        return self._ask("report")

    def total(self) -> dict[str, Any]:
        """Returns the measurements since the last total."""
        return self._ask("total")

    def total_when(self, is_enough: Callable[[dict[str, Any], Counter[str]], bool], seconds: float) -> dict[str, Any]:
        """Returns the total once `is_enough` says so, or after `seconds` whatever there is.

        Args:
            is_enough: receives the latest report, and the number of delays of each kind measured since the call.
            seconds: the maximum time to wait.
        """
        until = time.monotonic() + seconds
        measured: Counter[str] = Counter()
        while True:
            seen = self.report()
            measured.update({name: each["count"] for name, each in seen["delays"].items()})
            if is_enough(seen, measured) or time.monotonic() > until:
                return self.total()
            time.sleep(0.1)

    def _ask(self, command: str) -> dict[str, Any]:
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def stop(self) -> None:
        """Closes all browsers."""
        self._process.stdin.close()
        self._process.wait(30)


@dataclass(slots=True)
class Publisher:
    """Publishes events at a steady rate, like workers, alternating between the common render and the people's own.

    Attributes:
        others_per_s: events of renders that no open page shows.
    """

    own: list[Any]
    common: Any
    per_s: float
    others_per_s: float = 0.0
    published: int = 0
    _is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for per_s, publish in ((self.per_s, self.publish_one), (self.others_per_s, self._publish_other)):
            if per_s:
                thread = threading.Thread(target=self._run, args=(per_s, publish), daemon=True)
                self._threads.append(thread)
                thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def publish_one(self) -> None:
        """Publishes the next event."""
        turn, self.published = self.published, self.published + 1
        _publish(self.common if turn % 2 else self.own[turn // 2 % len(self.own)])

    def _publish_other(self) -> None:
        from apps.visualizations.models import Render

        _publish(Render(visualization_id=self.common.visualization_id))

    def _run(self, per_s: float, publish: Any) -> None:
        due = time.monotonic()
        while not self._is_over.wait(max(0.0, due - time.monotonic())):
            publish()
            due += 1 / per_s


def _publish(render: Any) -> None:
    from apps.visualizations import events

    # Browsers read the time of publication from it, and need nothing else from an event.
    render.cells = time.monotonic() * 1000
    events.publish(render)
