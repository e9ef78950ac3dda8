"""`python -m benchmarks [--quick] [--only renders|clients] [--json FILE]`: measures, and prints tables in Markdown."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from apps.visualizations.rendering import environments
from benchmarks import report
from benchmarks.cases import Case, WrongPageError, make_cases
from benchmarks.clients import measure_clients
from benchmarks.portal import PortalError, finished_step, running_portal
from benchmarks.renders import measure_renders

_ROOT: Final = Path(__file__).resolve().parents[1]


def main() -> int:
    """Measures and prints; returns 1 where a page was not what it must be."""
    options = _options()
    # Ended from outside, it still stops the portal it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: dict[str, Any] = {"machine": report.machine(), "renders": [], "clients": []}
    try:
        with tempfile.TemporaryDirectory(prefix="vizportal-bench-") as name:
            directory = Path(name).resolve()
            (directory / "sources").mkdir()
            cases = make_cases(directory / "sources")
            if options.only != "clients":
                results["renders"] = _renders(cases, options)
            if options.only != "renders":
                results["clients"] = _clients(cases, directory, options)
    except (WrongPageError, PortalError, environments.EnvironmentUnusableError) as error:
        sys.exit(f"benchmarks: {error}")
    print(report.markdown(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _renders(cases: list[Case], options: argparse.Namespace) -> list[dict[str, Any]]:
    repetitions = options.repetitions or (2 if options.quick else 7)
    warm_ups = 0 if options.quick else 1
    interpreter = _interpreter("base")
    found = measure_renders(cases, interpreter, repetitions=repetitions, warm_ups=warm_ups, say=_say)
    return report.render_rows(found)


def _clients(cases: list[Case], directory: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    predefined = [case for case in cases if case.type_key != "custom"]
    with running_portal(directory, directory / "sources") as portal:
        step = finished_step(portal)
        levels, each = ((1, 2), 1) if options.quick else ((1, 2, 4, 8), None)
        return report.client_rows(measure_clients(portal, predefined, step, levels=levels, each=each, say=_say))


def _interpreter(key: str) -> Path:
    built_dir = Path(os.environ.get("VIZPORTAL_ENVIRONMENTS_DIR", _ROOT / ".environments")).absolute()
    info = environments.environment_get(key, built_dir)
    if info.interpreter is None or not info.is_current:
        _say(f"building the environment {key}")
        info = environments.environment_build(key, built_dir, on_line=lambda _line: None)
    if info.interpreter is None:
        raise environments.EnvironmentUnusableError(f"The environment {key} has no interpreter after its build.")
    return info.interpreter


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two repetitions and few clients: whether it works at all")
    parser.add_argument("--only", choices=["renders", "clients"], help="one half of it")
    parser.add_argument("--repetitions", type=int, default=0, help="renders of each case and way (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
