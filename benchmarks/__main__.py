"""`python -m benchmarks`: measures whole renders of a portal and another server, and prints tables in Markdown."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from renderer import Environments, EnvironmentUnusableError

from benchmarks import cold, report
from benchmarks.cases import Case, WrongPageError, make_cases
from benchmarks.endurance import measure_soak, measure_stuck
from benchmarks.measure import measure_first, measure_levels, measure_turns
from benchmarks.portal import WORKERS, Portal, PortalError, running_portal
from benchmarks.servers import Server, ServerError, other_server

_ROOT: Final = Path(__file__).resolve().parents[1]
_CLIENTS_BY_CASE: Final = 4
_LEVELS: Final = (1, 2, 4, 8)


def main() -> int:
    """Measures and prints; fails if a page is wrong."""
    options = _options()
    # Converted to an exit, so that the servers it started are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="vizportal-bench-") as name:
            results = _measure(Path(name).resolve(), options)
    except (WrongPageError, PortalError, ServerError, OSError, EnvironmentUnusableError) as error:
        sys.exit(f"benchmarks: {error}")
    print(report.markdown(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure(directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {"machine": report.machine(), "first_ms": {}, "renders": [], "levels": []}
    results |= {"soak": {}, "stuck": {}}
    sources = directory / "sources"
    sources.mkdir()
    cases = make_cases(sources)
    interpreter = _interpreter("base")
    with contextlib.ExitStack() as stack:
        portal = stack.enter_context(running_portal(directory, sources))
        own = Server(name="portal", url=portal.kfp_service_url, pid=portal.pid)
        servers = [own]
        if options.against:
            log = directory / "other.log"
            against = other_server(options.against, options.against_pid, options.against_command, log)
            servers.append(stack.enter_context(against))
        results["first_ms"] = _first(servers, cases, options)
        _whole(results, servers, cases, portal, interpreter, options)
        if options.soak:
            results["soak"] = measure_soak(own, _small(cases), portal, options.soak, _say)
        if options.stuck:
            results["stuck"] = measure_stuck(own, cases[0], portal, slots=WORKERS, repetitions=_repetitions(options))
    return results


def _whole(
    results: dict[str, Any],
    servers: list[Server],
    cases: list[Case],
    portal: Portal,
    interpreter: Path,
    options: argparse.Namespace,
) -> None:
    repetitions = _repetitions(options)
    warm_ups = 0 if options.quick else 2
    found = measure_turns(servers, cases, portal, repetitions=repetitions, warm_ups=warm_ups, say=_say)
    found |= cold.measure_cold(cases, interpreter, repetitions=min(repetitions, 3), say=_say)
    results["renders"] = report.render_rows(found)
    levels, each = ((1, 2), 2) if options.quick else (_LEVELS, 8)
    by_case = 2 if options.quick else _CLIENTS_BY_CASE
    measured = measure_levels(servers, _small(cases), levels=levels, by_case=by_case, each=each, say=_say)
    results["levels"] = report.level_rows(measured)


def _first(servers: list[Server], cases: list[Case], options: argparse.Namespace) -> dict[str, float]:
    curve = next(case for case in cases if case.type_key == "roc_curve")
    fresh = [server for server in servers if not server.is_other or options.against_command]
    return {server.name: round(1000 * measure_first(server, curve), 1) for server in fresh}


def _small(cases: list[Case]) -> list[Case]:
    return [case for case in cases if "100,000" not in case.name]


def _repetitions(options: argparse.Namespace) -> int:
    return int(options.repetitions or (2 if options.quick else 15))


def _interpreter(key: str) -> Path:
    built_dir = Path(os.environ.get("VIZPORTAL_ENVIRONMENTS_DIR", _ROOT / ".environments")).absolute()
    environments = Environments(definitions_dir=_ROOT / "environments", built_dir=built_dir)
    info = environments.get(key)
    if info.interpreter is None or not info.is_current:
        _say(f"building the environment {key}")
        info = environments.build(key, on_line=lambda _line: None)
    if info.interpreter is None:
        raise EnvironmentUnusableError(f"The environment {key} has no interpreter after its build.")
    return info.interpreter


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two repetitions and few clients: whether it works at all")
    parser.add_argument("--repetitions", type=int, default=0, help="renders of each case and server (default: 15)")
    parser.add_argument("--against", default="", metavar="URL", help="another server of the same protocol")
    parser.add_argument("--against-pid", type=int, metavar="PID", help="its process, to count its processor time")
    parser.add_argument("--against-command", default="", metavar="COMMAND", help="starts it, to time its first render")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="so many renders in a row: what stays behind")
    parser.add_argument("--stuck", action="store_true", help="an endless loop on every slot but one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    if (options.against_pid or options.against_command) and not options.against:
        parser.error("--against-pid and --against-command need --against URL")
    return options


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
