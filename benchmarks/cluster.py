"""`python -m benchmarks.cluster`: measures how renders per second scale with workers, each with a share of a core.

Each worker has its own data directory, as on a separate machine, and shares a quota of processor time with its render
host. PostgreSQL and Valkey are real and have no quota. The queue is never empty.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import processes, report
from benchmarks.cases import Case, WrongPageError, make_cases
from benchmarks.cluster_machines import Machine, Quota, QuotaError, worker_machine
from benchmarks.house import House, running_services
from tests.waiting import wait_until

# The minimum number of waiting renders per worker.
_AHEAD: Final = 20
_WARM_UP_EACH: Final = 3
_READY_S: Final = 180
_LOOK_EVERY_S: Final = 0.5
_FIGURES: Final = {
    "cpu_ms_a_render": "CPU ms a render",
    "share_of_quota": "share of the quota used",
    "postgres_cores": "PostgreSQL, cores",
    "valkey_cores": "Valkey, cores",
}


def main() -> int:
    """Measures and prints."""
    options = _options()
    # Converted to an exit, so that everything it started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    levels = [int(each) for each in options.workers.split(",")]
    results: dict[str, Any] = {"machine": report.machine(), "quota": options.quota, "levels": []}
    with tempfile.TemporaryDirectory(prefix="vzp-cluster-") as name:
        sources = Path(name) / "sources"
        sources.mkdir()
        with running_services(VIZPORTAL_SOURCE_ALLOW=f"{sources}/") as house:
            case = next(each for each in make_cases(sources) if each.name.startswith(options.case))
            results["case"] = case.name
            for number in range(options.repetitions):
                for count in levels if number % 2 == 0 else levels[::-1]:
                    found = _level(house, case, count, options) | {"repetition": number + 1}
                    results["levels"].append(found)
                    print(json.dumps(found), file=sys.stderr, flush=True)
    print(_markdown(results, levels))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _level(house: House, case: Case, count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measures `count` workers at once."""
    with ExitStack() as stack:
        machines = [
            stack.enter_context(worker_machine(house, f"worker-{number}", Quota(options.quota / 100)))
            for number in range(1, count + 1)
        ]
        line = _Line(case, _AHEAD * count)
        line.fill()
        wait_until(lambda: line.fill() and _ready(machines), _READY_S, "a few renders of each worker")
        for machine in machines:
            machine.limit()
        # The first period under the quota still contains work begun without it.
        _keep_full(line, 2)
        measured = _measure(house, line, machines, options.seconds)
        line.drain()
        for machine in machines:
            # Raises WrongPageError for a page that lacks its marks.
            case.check_page(machine.last_page())
    return measured


def _ready(machines: list[Machine]) -> bool:
    return all(each.renders() >= _WARM_UP_EACH for each in machines)


def _keep_full(line: _Line, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        line.fill()
        time.sleep(min(_LOOK_EVERY_S, left))


def _measure(house: House, line: _Line, machines: list[Machine], seconds: float) -> dict[str, Any]:
    from django.utils import timezone

    before, began = _used(house, machines), timezone.now()
    _keep_full(line, seconds)
    after, ended = _used(house, machines), timezone.now()
    took_s = (ended - began).total_seconds()
    renders = line.ended_between(began, ended)
    spent = {name: after[name] - before[name] for name in before}
    workers_s = sum(spent[each.name] for each in machines)
    return {
        "workers": len(machines),
        "seconds": round(took_s, 1),
        "renders": renders,
        "renders_per_s": round(renders / took_s, 3),
        "cpu_ms_a_render": round(1000 * workers_s / renders, 1) if renders else None,
        # 1 means that the quota alone was the limit.
        "share_of_quota": round(workers_s / took_s / sum(each.quota.cores for each in machines), 3),
        "postgres_cores": round(spent["postgres"] / took_s, 3),
        "valkey_cores": round(spent["valkey"] / took_s, 3),
        "least_waiting": line.least_waiting,
        "failed": line.failed(),
    }


def _used(house: House, machines: list[Machine]) -> dict[str, float]:
    """Returns the seconds of processor time used so far, by process."""
    services = {"postgres": house.database.pid, "valkey": house.queue_pid}
    own = {name: processes.cpu_s(pid) for name, pid in services.items()}
    return own | {each.name: each.cpu_s() for each in machines}


@dataclass(slots=True)
class _Line:
    """The waiting renders, whose number is kept constant."""

    case: Case
    length: int
    least_waiting: int = 10**9

    def fill(self) -> bool:
        """Adds missing renders; records how few there were."""
        from apps.accounts.caller import Caller, CallerKind
        from apps.visualizations.services.requests import VisualizationRequest
        from apps.visualizations.services.submission import visualization_create_anew

        waiting = self._rows(state="queued").count()
        self.least_waiting = min(self.least_waiting, waiting) if waiting else self.least_waiting
        for _ in range(self.length - waiting):
            request = VisualizationRequest(
                type_key=self.case.type_key,
                source=str(self.case.source or ""),
                arguments=self.case.variables,
                code=self.case.code if self.case.type_key == "custom" else "",
            )
            caller = Caller(kind=CallerKind.KFP_PROTOCOL)
            visualization_create_anew(caller, request, uuid.uuid4())
        return True

    def ended_between(self, began: Any, ended: Any) -> int:
        """Returns the number of renders completed in this period."""
        return int(self._rows(state="succeeded", finished_at__gt=began, finished_at__lte=ended).count())

    def failed(self) -> int:
        """Returns the number of renders so far that did not succeed."""
        return int(self._rows().exclude(state__in=["queued", "running", "succeeded"]).count())

    def drain(self) -> None:
        """Deletes waiting renders; running ones end with their worker."""
        from apps.visualizations.job_queue import queue_get

        self._rows(state="queued").delete()
        queue_get("base").empty()

    def _rows(self, **values: Any) -> Any:
        from apps.visualizations.models import Render

        return Render.objects.filter(**values)


def _markdown(results: dict[str, Any], levels: list[int]) -> str:
    facts = results["machine"]
    first = f"{results['case']}, {results['quota']}% of a core for each worker; "
    first += f"{facts['cores']} cores, load {facts['load_before']} before the start"
    header = ["workers", "renders/s, each time", "median", "gained per added worker", *_FIGURES.values(), "failed"]
    by_count = {count: [each for each in results["levels"] if each["workers"] == count] for count in levels}
    rates = {count: statistics.median(each["renders_per_s"] for each in rows) for count, rows in by_count.items()}
    rows = [
        [
            count,
            ", ".join(str(each["renders_per_s"]) for each in measured),
            round(rates[count], 2),
            _gained(rates, count),
            *(round(statistics.median(each[name] for each in measured), 3) for name in _FIGURES),
            max(each["failed"] for each in measured),
        ]
        for count, measured in by_count.items()
    ]
    return "\n".join([first, "", *report.table(header, rows)])


def _gained(rates: dict[int, float], count: int) -> str:
    """Returns the throughput added per worker above the smallest number, relative to one worker's at that number."""
    fewest = min(rates)
    if count == fewest:
        return ""
    return f"{(rates[count] - rates[fewest]) / (count - fewest) / (rates[fewest] / fewest):.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers to compare")
    parser.add_argument("--quota", type=float, default=25, metavar="PERCENT", help="of one core, for each worker")
    parser.add_argument("--seconds", type=float, default=30, help="of each measurement")
    parser.add_argument("--repetitions", type=int, default=3, help="of each number of workers, in turns")
    parser.add_argument("--case", default="table, 1,000", help="how the name of what is rendered begins")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (QuotaError, WrongPageError) as error:
        sys.exit(f"benchmarks: {error}")
