"""The measurements as one plain structure, and their output as Markdown."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.measure import Level, Series

_FIGURES: Final = ("median_ms", "p95_ms", "cpu_ms", "html_bytes")


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Returns the lines of a table: text in the first column, figures in the others."""
    lines = [f"| {' | '.join(header)} |", "| --- " + "| ---: " * (len(header) - 1) + "|"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


def machine() -> dict[str, Any]:
    """Returns facts that the figures depend on: cores, their load before the start, Python."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def render_rows(found: Mapping[tuple[str, str], Series]) -> list[dict[str, Any]]:
    """Returns one row for each case and way, grouped by case; times in milliseconds, None if unknown.

    `cpu_ms` is a mean: the system counts processor time in steps of 10 ms.
    """
    order = {case: number for number, (case, _) in reversed(list(enumerate(found)))}
    rows = [
        {
            "case": case,
            "way": way,
            "checked": len(each.seconds),
            "median_ms": round(1000 * statistics.median(each.seconds), 1),
            "p95_ms": round(1000 * percentile(each.seconds, 0.95), 1),
            "cpu_ms": round(1000 * statistics.fmean(each.cpu_s), 1) if each.cpu_s else None,
            "html_bytes": round(statistics.median(each.html_bytes)),
            "phases_ms": _phases(each),
        }
        for (case, way), each in found.items()
    ]
    return sorted(rows, key=lambda row: order[row["case"]])


def _phases(series: Series) -> dict[str, float]:
    names = dict.fromkeys(name for one in series.phases_ms for name in one)
    return {name: round(statistics.median(one[name] for one in series.phases_ms if name in one), 2) for name in names}


def level_rows(levels: Sequence[Level]) -> list[dict[str, Any]]:
    """Returns one row for each number of clients and server."""
    return [
        {
            "case": level.case,
            "clients": level.clients,
            "way": level.server,
            "checked": len(level.seconds),
            "renders_per_s": round(len(level.seconds) / level.elapsed_s, 2),
            "median_ms": round(1000 * statistics.median(level.seconds), 1),
            "p95_ms": round(1000 * percentile(level.seconds, 0.95), 1),
            "cpu_ms": None if level.cpu_s is None else round(1000 * level.cpu_s / len(level.seconds), 1),
        }
        for level in levels
    ]


def markdown(results: Mapping[str, Any]) -> str:
    """Returns the results as tables."""
    facts = results["machine"]
    lines = [f"{facts['cores']} cores, load {facts['load_before']} before the start, Python {facts['python']}", ""]
    if results["first_ms"]:
        shown = ", ".join(f"{name} {value:,.0f} ms" for name, value in results["first_ms"].items())
        lines += [f"First render after the start (ROC curve): {shown}", ""]
    for rows, table in (("renders", _render_table), ("renders", _phase_table), ("levels", _level_table)):
        if results[rows]:
            lines += [*table(results[rows]), ""]
    if results["soak"]:
        lines += [*_soak_table(results["soak"]), ""]
    if results["stuck"]:
        lines += [_stuck_line(results["stuck"]), ""]
    return "\n".join(lines).rstrip()


def _render_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| case | way | renders | median ms | p95 ms | CPU ms | bytes |", "| --- | --- " + "| ---: " * 5 + "|"]
    by_case: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_case.setdefault(row["case"], []).append(row)
    for case, ways in by_case.items():
        lines += [
            f"| {case} | {row['way']} | {row['checked']} | {_shown(row[name] for name in _FIGURES)} |" for row in ways
        ]
        portal = next(row for row in ways if row["way"] == "portal")
        others = [row for row in ways if row is not portal]
        lines += [f"| | *{row['way']} / portal* | | {_ratios(row, portal)} |" for row in others]
    return lines


def _shown(figures: Any) -> str:
    return " | ".join("" if figure is None else f"{figure:,}" for figure in figures)


def _ratios(row: Mapping[str, Any], portal: Mapping[str, Any]) -> str:
    pairs = [(row[name], portal[name]) for name in _FIGURES]
    return " | ".join(f"*{one / own:.2f}*" if one is not None and own else "" for one, own in pairs)


def _phase_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the portal's medians by phase; empty for a phase that a case does not have."""
    portal = [row for row in rows if row["phases_ms"]]
    names = list(dict.fromkeys(name for row in portal for name in row["phases_ms"] if name != "client total"))
    if not portal:
        return []
    lines = ["| phase, ms | " + " | ".join(row["case"] for row in portal) + " |"]
    lines.append("| --- " + "| ---: " * len(portal) + "|")
    shown = [(name, _shown(row["phases_ms"].get(name) for row in portal)) for name in (*names, "client total")]
    return lines + [f"| {name} | {figures} |" for name, figures in shown]


def _level_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| case | clients | way | renders | renders/s | median ms | p95 ms | CPU ms |"]
    lines.append("| --- | ---: | --- " + "| ---: " * 5 + "|")
    names = ("checked", "renders_per_s", "median_ms", "p95_ms", "cpu_ms")
    by_level: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_level.setdefault((row["case"], row["clients"]), []).append(row)
    for (case, clients), several in by_level.items():
        lines += [f"| {case} | {clients} | {row['way']} | {_shown(row[name] for name in names)} |" for row in several]
        portal = next(row for row in several if row["way"] == "portal")
        for row in several:
            if row is not portal:
                ratio = portal["renders_per_s"] / row["renders_per_s"]
                lines.append(f"| | {clients} | *portal / {row['way']}* | | *{ratio:.2f}* | | | |")
    return lines


def _soak_table(soak: Mapping[str, Any]) -> list[str]:
    first = (
        f"{soak['renders']} renders in a row: median {soak['median_ms_first_tenth']} ms in the first tenth, "
        f"{soak['median_ms_last_tenth']} ms in the last; temporary files and directories "
        f"{soak['before']['temporary_entries']} before, {soak['after']['temporary_entries']} after"
    )
    lines = [
        first,
        "",
        "| before -> after | processes | RSS MB | PSS MB | open files | sockets |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    before, after = soak["before"]["roles"], soak["after"]["roles"]
    roles = sorted({*before, *after})
    return lines + [f"| {role} | {_changes(before.get(role, {}), after.get(role, {}))} |" for role in roles]


def _changes(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    cells = []
    for name in ("processes", "rss_bytes", "pss_bytes", "files", "sockets"):
        divisor = 10**6 if name.endswith("_bytes") else 1
        cells.append(" -> ".join(f"{held.get(name, 0) / divisor:.0f}" for held in (before, after)))
    return " | ".join(cells)


def _stuck_line(stuck: Mapping[str, Any]) -> str:
    return (
        f"With {stuck['stuck']} of {stuck['slots']} slots in an endless loop: median {stuck['beside_median_ms']} ms "
        f"beside it, {stuck['usual_median_ms']} ms usually; free {stuck['freed_after_s']} s after its client left"
    )
