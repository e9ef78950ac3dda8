"""The resources that a tree of processes has used and holds, read from /proc."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")
_PSS: Final = re.compile(rb"^(Rss|Pss):\s+(\d+) kB", re.MULTILINE)
# By a part of the command line; the first match names the process.
_ROLES: Final = (
    ("kfp service", "manage.py kfp_service"),
    ("worker", "manage.py rqworker"),
    ("reconciler", "manage.py reconcile"),
    ("web", "vizportal.asgi"),
    ("queue", "valkey"),
    ("queue", "redis-server"),
    ("localkfp", "-m localkfp"),
    ("up", "manage.py up"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The resources of processes with one role; bytes, files and sockets are totals."""

    processes: int
    rss_bytes: int
    pss_bytes: int
    files: int
    sockets: int


def tree(root: int) -> list[int]:
    """Returns a process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, rest = [], [root]
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += children.get(pid, [])
    return found


def cpu_s(root: int) -> float:
    """Returns the processor time, user and system, of a tree including reaped children.

    An ended child counts in the process that reaped it; one whose parent died first would be lost.
    """
    # utime, stime, and the same of reaped children: fields 14 to 17 of proc(5), counted from after the name here.
    return sum(sum(map(int, fields[11:15])) for pid in tree(root) if (fields := _stat(pid))) / _TICKS


def holdings(root: int) -> dict[str, Holding]:
    """Returns the resources of a tree, by role; a process below the workers that is not a worker is a `render host`."""
    by_role: dict[str, list[int]] = {}
    for pid in tree(root):
        by_role.setdefault(_role(pid), []).append(pid)
    return {role: hold(pids) for role, pids in sorted(by_role.items())}


def hold(pids: Iterable[int]) -> Holding:
    """Returns the total resources of these processes."""
    counted: Counter[str] = Counter()
    for pid in pids:
        counted["processes"] += 1
        with contextlib.suppress(OSError):
            sizes = dict(_PSS.findall((_PROC / str(pid) / "smaps_rollup").read_bytes()))
            counted["rss"] += int(sizes.get(b"Rss", 0)) * 1024
            counted["pss"] += int(sizes.get(b"Pss", 0)) * 1024
        links = _links(pid)
        counted["files"] += len(links)
        counted["sockets"] += sum(link.startswith("socket:") for link in links)
    return Holding(
        processes=counted["processes"],
        rss_bytes=counted["rss"],
        pss_bytes=counted["pss"],
        files=counted["files"],
        sockets=counted["sockets"],
    )


def _links(pid: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(str(entry.readlink()))
    return found


def _role(pid: int) -> str:
    with contextlib.suppress(OSError):
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return next((role for role, mark in _ROLES if mark in command), "render host")
    return "ended"


def _stat(pid: int) -> list[str]:
    """Returns the fields of /proc/<pid>/stat after the name, starting with the state; empty if the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
