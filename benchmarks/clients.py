"""Whole requests: clients that each ask the REST API for a render, wait for it, fetch the page, and ask again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.cases import Case
from benchmarks.portal import Portal, PortalError

_POLL_S: Final = 0.05
_RENDER_S: Final = 120
# Of each level at least so many, and so many for each client: enough for a median, few enough for a laptop.
_LEAST: Final = 8
_EACH: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What so many clients at once got; every page was checked.

    Attributes:
        seconds: from a client's POST to the last byte of the page, for each render.
        elapsed_s: from the first POST of all to the last page of all.
    """

    clients: int
    seconds: tuple[float, ...]
    elapsed_s: float


def measure_clients(
    portal: Portal,
    cases: Sequence[Case],
    step: tuple[str, str],
    *,
    levels: Sequence[int],
    each: int | None,
    say: Callable[[str], None],
) -> list[Level]:
    """Returns one measurement for each number of clients.

    Args:
        step: the run and step that the renders are asked for.
        each: renders each client asks for; None: as many as make a fair median.
    """
    found = []
    for clients in levels:
        count = clients * each if each else max(_LEAST, clients * _EACH)
        orders = [cases[index % len(cases)] for index in range(count)]
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            seconds = list(pool.map(lambda case: _one(portal, case, step), orders))
        found.append(Level(clients=clients, seconds=tuple(seconds), elapsed_s=time.perf_counter() - started))
        say(f"clients: {clients} at once, {count} renders")
    return found


def _one(portal: Portal, case: Case, step: tuple[str, str]) -> float:
    started = time.perf_counter()
    run_id, step_id = step
    order = {"run_id": run_id, "step_id": step_id, "type": case.type_key, "source": str(case.source), "force": True}
    made = portal.post("/api/v1/visualizations", order)
    render = _await_end(portal, made["render"])
    page = portal.fetch(render["content_url"])
    seconds = time.perf_counter() - started
    case.check(page)
    return seconds


def _await_end(portal: Portal, render: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + _RENDER_S
    while render["state"] in {"queued", "running"}:
        if time.monotonic() > deadline:
            raise PortalError(f"Render {render['id']} did not end within {_RENDER_S} s.")
        time.sleep(_POLL_S)
        render = portal.get(f"/api/v1/renders/{render['id']}")
    if render["state"] != "succeeded":
        raise PortalError(f"Render {render['id']} {render['state']}: {render['message']}")
    return render
