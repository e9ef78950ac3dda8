"""The measurements themselves: one request at a time to each server in turn, and many clients at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.cases import Case
from benchmarks.portal import Portal
from benchmarks.servers import Answer, Client, Server

# Work that a server does after the answer (recording, the next child) belongs to the render.
_SETTLE_S: Final = 0.15


@dataclass(slots=True, kw_only=True)
class Series:
    """The checked renders of one case in one way.

    Attributes:
        cpu_s: processor time of each; empty if unknown.
        phases_ms: of each, by the portal's names; empty for other servers.
    """

    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    html_bytes: list[int] = field(default_factory=list)
    phases_ms: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The result of several concurrent clients of one server; every page was checked.

    Attributes:
        case: the name of the only case; "all in turn" for several.
        elapsed_s: from the first POST to the last page, over all clients.
    """

    server: str
    case: str
    clients: int
    seconds: tuple[float, ...]
    elapsed_s: float
    cpu_s: float | None


def measure_first(server: Server, case: Case) -> float:
    """Returns the seconds of a server's very first render."""
    with server.connect() as client:
        answer = client.render(case)
        client.check(case, answer)
    return answer.seconds


def measure_turns(
    servers: Sequence[Server],
    cases: Sequence[Case],
    portal: Portal,
    *,
    repetitions: int,
    warm_ups: int,
    say: Callable[[str], None],
) -> dict[tuple[str, str], Series]:
    """Returns the series by case and server; in each round the servers take turns, in alternating order.

    Args:
        servers: to measure.
        cases: to render.
        portal: the portal, which knows the phases.
        repetitions: the number of rounds.
        warm_ups: rounds that are checked but not counted.
        say: called with progress lines.
    """
    found = {(case.name, server.name): Series() for case in cases for server in servers}
    with ExitStack() as stack:
        clients = {server.name: stack.enter_context(server.connect()) for server in servers}
        for number in range(-warm_ups, repetitions):
            for case in cases:
                for server in sorted(servers, key=lambda each: each.name, reverse=number % 2 == 0):
                    series = found[case.name, server.name] if number >= 0 else Series()
                    _one(server, clients[server.name], case, portal, series)
            say(f"turns: round {number + warm_ups + 1} of {repetitions + warm_ups}")
    return found


def _one(server: Server, client: Client, case: Case, portal: Portal, series: Series) -> None:
    before = server.cpu_s()
    answer = client.render(case)
    time.sleep(_SETTLE_S)
    after = server.cpu_s()
    client.check(case, answer)
    series.seconds.append(answer.seconds)
    if before is not None and after is not None:
        series.cpu_s.append(after - before)
    facts = portal.get(f"/api/v1/renders/{answer.render_id}") if answer.render_id else {}
    series.html_bytes.append(facts.get("html_bytes") or len(answer.page.encode()))
    if facts:
        series.phases_ms.append(_phases(answer, facts))


def _phases(answer: Answer, facts: dict[str, Any]) -> dict[str, float]:
    """Returns milliseconds by phase: the listener's, the render's own, and the client's total."""
    listener = {f"listener.{name}": spent for name, spent in answer.phases_ms.items()}
    own = {name: 1000 * spent for name, spent in facts["timings"].items() if isinstance(spent, int | float)}
    return listener | own | {"client total": 1000 * answer.seconds}


def measure_levels(
    servers: Sequence[Server],
    cases: Sequence[Case],
    *,
    levels: Sequence[int],
    by_case: int,
    each: int,
    say: Callable[[str], None],
) -> list[Level]:
    """Returns one measurement for each number of clients and server.

    Args:
        servers: to measure.
        cases: the clients' requests in turn, the same for all servers.
        levels: the numbers of clients.
        by_case: the number of clients that request one case only, for each case; fewer for a slow server.
        each: renders that each client requests.
        say: called with progress lines.
    """
    for server in servers:
        # Work that a worker does only for its first render must not be measured.
        _level(server, cases[:1], max(levels), 2)
    found = []
    for number, clients in enumerate(levels):
        for server in sorted(servers, key=lambda each: each.name, reverse=number % 2 == 0):
            found.append(_level(server, cases, clients, each))
            say(f"clients: {clients} at once, {server.name}")
    for number, case in enumerate(cases):
        for server in sorted(servers, key=lambda each: each.name, reverse=number % 2 == 0):
            found.append(_level(server, [case], by_case, max(2, each // 2) if server.is_other else 2 * each))
            say(f"clients: {by_case} at once, {case.name}, {server.name}")
    return found


def _level(server: Server, cases: Sequence[Case], clients: int, each: int) -> Level:
    def work(first: int) -> list[tuple[Case, Answer]]:
        orders = [cases[(first + number) % len(cases)] for number in range(each)]
        with server.connect() as client:
            return [(case, client.render(case)) for case in orders]

    before, started = server.cpu_s(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = [pair for pairs in pool.map(work, range(clients)) for pair in pairs]
    elapsed_s = time.perf_counter() - started
    time.sleep(_SETTLE_S)
    after = server.cpu_s()
    for case, answer in answers:
        case.check_page(answer.page, of_other=server.is_other)
    return Level(
        server=server.name,
        case=cases[0].name if len(cases) == 1 else "all in turn",
        clients=clients,
        seconds=tuple(answer.seconds for _, answer in answers),
        elapsed_s=elapsed_s,
        cpu_s=None if before is None or after is None else after - before,
    )
