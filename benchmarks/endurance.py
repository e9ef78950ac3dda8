"""Measures what remains after many renders, and how a render that never ends affects the others."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.cases import Case
from benchmarks.portal import Portal, PortalError
from benchmarks.servers import Server

_SETTLE_S: Final = 3.0
_ENDLESS: Final = "while True:\n    pass\n"
_STARTS_S: Final = 30.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


def measure_soak(
    server: Server, cases: list[Case], portal: Portal, count: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Renders `count` times in a row and returns the resources of the portal's processes before and after, by role."""
    with server.connect() as client:
        for case in cases:
            client.check(case, client.render(case))
        before = _snapshot(server, portal)
        seconds = []
        for number in range(count):
            case = cases[number % len(cases)]
            answer = client.render(case)
            client.check(case, answer)
            seconds.append(answer.seconds)
            if (number + 1) % 50 == 0:
                say(f"soak: {number + 1} of {count}")
    after = _snapshot(server, portal)
    tenth = max(1, count // 10)
    return {
        "renders": count,
        "median_ms_first_tenth": round(1000 * statistics.median(seconds[:tenth]), 1),
        "median_ms_last_tenth": round(1000 * statistics.median(seconds[-tenth:]), 1),
        "before": before,
        "after": after,
    }


def _snapshot(server: Server, portal: Portal) -> dict[str, Any]:
    # Ended children are still being reaped, and new ones forked.
    time.sleep(_SETTLE_S)
    assert server.pid is not None
    roles = {role: asdict(held) for role, held in processes.holdings(server.pid).items()}
    return {"roles": roles, "temporary_entries": portal.temporary_entries()}


def measure_stuck(server: Server, case: Case, portal: Portal, *, slots: int, repetitions: int) -> dict[str, Any]:
    """Keeps all slots but one busy with code that never ends; returns the times of other renders and the usual ones.

    Args:
        server: the portal's.
        case: the other renders.
        portal: the portal.
        slots: how many renders the portal runs at once; at least 2.
        repetitions: how many renders to measure.
    """
    usual = _median_ms(server, case, repetitions)
    endless = Case(
        name="endless loop", type_key="custom", code=_ENDLESS, source=None, variables={}, check=lambda _page: None
    )
    with contextlib.ExitStack() as stack:
        for _ in range(slots - 1):
            _send(server, endless, stack)
        _await_running(portal, slots - 1)
        beside = _median_ms(server, case, repetitions)
    # Closing a connection cancels its render, which frees the slot.
    began = time.perf_counter()
    _await_running(portal, 0)
    freed_s = round(time.perf_counter() - began, 2)
    return {
        "stuck": slots - 1,
        "slots": slots,
        "usual_median_ms": usual,
        "beside_median_ms": beside,
        "freed_after_s": freed_s,
    }


def _send(server: Server, case: Case, stack: contextlib.ExitStack) -> None:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    stack.callback(connection.close)
    connection.request("POST", "/", case.form(), _FORM)


def _await_running(portal: Portal, count: int) -> None:
    deadline = time.monotonic() + _STARTS_S
    while portal.get("/api/v1/queue")["running"] != count:
        if time.monotonic() > deadline:
            raise PortalError(f"The portal does not come to {count} running renders.")
        time.sleep(0.05)


def _median_ms(server: Server, case: Case, repetitions: int) -> float:
    with server.connect() as client:
        answers = [client.render(case) for _ in range(repetitions)]
        for answer in answers:
            client.check(case, answer)
    return round(1000 * statistics.median(answer.seconds for answer in answers), 1)
