"""The measurements as one plain structure, and that structure as Markdown."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.clients import Level
from benchmarks.renders import Measured


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def machine() -> dict[str, Any]:
    """Returns what the figures depend on: cores, their load before the start, Python."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def render_rows(found: Mapping[tuple[str, str], Sequence[Measured]]) -> list[dict[str, Any]]:
    """Returns one row for each case and way; times in milliseconds."""
    return [
        {
            "case": case,
            "way": way,
            "checked": len(each),
            "median_ms": round(1000 * statistics.median(one.seconds for one in each)),
            "p95_ms": round(1000 * percentile([one.seconds for one in each], 0.95)),
            "cpu_ms": round(1000 * statistics.median(one.cpu_s for one in each)),
            "html_bytes": round(statistics.median(one.html_bytes for one in each)),
        }
        for (case, way), each in found.items()
    ]


def client_rows(levels: Sequence[Level]) -> list[dict[str, Any]]:
    """Returns one row for each number of clients."""
    return [
        {
            "clients": level.clients,
            "checked": len(level.seconds),
            "renders_per_s": round(len(level.seconds) / level.elapsed_s, 2),
            "median_ms": round(1000 * statistics.median(level.seconds)),
            "p95_ms": round(1000 * percentile(level.seconds, 0.95)),
        }
        for level in levels
    ]


def markdown(results: Mapping[str, Any]) -> str:
    """Returns the results as tables."""
    facts = results["machine"]
    lines = [f"{facts['cores']} cores, load {facts['load_before']} before the start, Python {facts['python']}", ""]
    if results["renders"]:
        lines += [*_render_table(results["renders"]), ""]
    if results["clients"]:
        lines += _client_table(results["clients"])
    return "\n".join(lines).rstrip()


def _render_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| case | way | renders | median ms | p95 ms | CPU ms | bytes |", "| --- | --- " + "| ---: " * 5 + "|"]
    by_case: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_case.setdefault(row["case"], []).append(row)
    for case, both in by_case.items():
        for row in both:
            figures = (row["checked"], row["median_ms"], row["p95_ms"], row["cpu_ms"], row["html_bytes"])
            lines.append(f"| {case} | {row['way']} | " + " | ".join(f"{figure:,}" for figure in figures) + " |")
        lines.append(f"| | *cold nbclient / portal* | | {_ratios(both)} |")
    return lines


def _ratios(both: Sequence[Mapping[str, Any]]) -> str:
    portal = next(row for row in both if row["way"] == "portal")
    other = next(row for row in both if row["way"] != "portal")
    names = ("median_ms", "p95_ms", "cpu_ms", "html_bytes")
    return " | ".join(f"*{other[name] / portal[name]:.2f}*" for name in names)


def _client_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| clients | renders | renders/s | median ms | p95 ms |", "| ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        figures = (row["clients"], row["checked"], row["renders_per_s"], row["median_ms"], row["p95_ms"])
        lines.append("| " + " | ".join(f"{figure:,}" for figure in figures) + " |")
    return lines
