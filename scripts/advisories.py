"""`make audit`: lists known advisories for all shipped packages of every lock, from OSV through pip-audit.

Exit code 0: none; 1: some, listed; 3: none found, but not everything could be queried. A service that does not answer
must not look like good news.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from locks import ROOT, export, projects

FOUND, UNKNOWN = 1, 3
ACCEPTED = Path(__file__).with_name("accepted-advisories.toml")


@dataclass(slots=True)
class Report:
    """The results. `unasked` lists packages without an answer, with reasons; `used` the accepted ids that matched."""

    found: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    asked: int = 0


def read_accepted(path: Path, today: dt.date) -> dict[tuple[str, str], dict[str, Any]]:
    """Returns the entries that are still valid, by package and id.

    Raises:
        SystemExit: an entry has no reason or no date.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", [])
    for entry in entries:
        if not entry.get("reason") or not isinstance(entry.get("until"), dt.date):
            sys.exit(f"{path}: {entry.get('id', 'an entry')} needs a reason and a day (until).")
    return {(entry["package"], entry["id"]): entry for entry in entries if entry["until"] >= today}


def rounds(requirements: str) -> list[list[str]]:
    """Returns the pins of a lock as lists in which each package occurs once, for every Python version and system.

    pip-audit skips packages that its own interpreter would not install, so those of other images would not be checked.
    """
    versions: dict[str, list[str]] = {}
    for line in requirements.splitlines():
        pin = line.partition(";")[0].strip()
        name, is_pinned, _ = pin.partition("==")
        if is_pinned and not pin.startswith("#") and pin not in versions.setdefault(name, []):
            versions[name].append(pin)
    longest = max(map(len, versions.values()), default=0)
    return [[pins[number] for pins in versions.values() if len(pins) > number] for number in range(longest)]


def audit(directory: Path, osv_url: str | None) -> list[dict[str, Any]]:
    """Returns pip-audit's answer for each package of a lock.

    Raises:
        RuntimeError: there is none; the text is its last line of output.
    """
    requirements = export(directory, "requirements.txt", "--no-emit-project", "--no-hashes")
    return [package for pins in rounds(requirements) for package in _ask(pins, osv_url)]


def _ask(pins: list[str], osv_url: str | None) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        # The lock is complete, so nothing is resolved or downloaded.
        command = [sys.executable, "-m", "pip_audit", "-r", file.name, "--no-deps", "--disable-pip", "-f", "json"]
        command += ["-s", "osv", "--progress-spinner", "off", *(["--osv-url", osv_url] if osv_url else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    try:
        answer: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no answer"])[-1]) from error
    return answer


def learn(report: Report, name: str, answer: list[dict[str, Any]], accepted: dict[tuple[str, str], Any]) -> None:
    """Adds one lock's answer to the report."""
    for package in answer:
        if "skip_reason" in package:
            report.unasked.append(f"{name}: {package['skip_reason']}")
            continue
        report.asked += 1
        for each in package["vulns"]:
            ids = {each["id"], *each.get("aliases", [])}
            excuse = next((key for key in accepted if key[0] == package["name"] and key[1] in ids), None)
            if excuse is not None:
                report.used.add(excuse[1])
                continue
            mended = ", ".join(each["fix_versions"]) or "nothing yet"
            report.found.append(f"{name}: {package['name']} {package['version']}: {each['id']}, mended in {mended}")


def main() -> int:
    """Queries every lock and prints the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--osv-url", help="another OSV service, such as a mirror")
    parser.add_argument("--accepted", type=Path, default=ACCEPTED, help="the file of accepted advisories")
    options = parser.parse_args()
    accepted = read_accepted(options.accepted, dt.datetime.now(dt.UTC).date())
    report = Report()
    for name, directory in projects():
        try:
            learn(report, name, audit(directory, options.osv_url), accepted)
        except RuntimeError as error:
            report.unasked.append(f"{name}: {error}")
    lines = [*(f"FOUND {each}" for each in report.found), *(f"COULD NOT BE CHECKED {each}" for each in report.unasked)]
    if not report.unasked:
        lines += [f"accepted, but not needed: {key[1]} ({key[0]})" for key in accepted if key[1] not in report.used]
    lines.append(f"{report.asked} packages asked about; {len(report.found)} advisories, {len(report.used)} accepted.")
    print("\n".join(lines))  # noqa: T201  (that is its output)
    return FOUND if report.found else UNKNOWN if report.unasked else 0


if __name__ == "__main__":
    sys.exit(main())
