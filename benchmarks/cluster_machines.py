"""A worker with its render host as on a separate machine: its own data directory and its share of a core."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from renderer import hosts_end

from benchmarks.house import House

_ROOT: Final = Path(__file__).resolve().parents[1]
_CGROUPS: Final = Path("/sys/fs/cgroup")
_PERIOD_US: Final = 100_000
_GONE_S: Final = 10
_WORKER: Final = [
    *("manage.py", "rqworker", "render-base", "--worker-class", "apps.visualizations.jobs.RenderWorker"),
    *("--job-class", "apps.visualizations.jobs.RenderJob", "--serializer", "rq.serializers.JSONSerializer"),
]


class QuotaError(Exception):
    """No processor quota can be set here; the text says why."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A share of processor time, in cores."""

    cores: float

    def write(self, group: Path) -> None:
        """Applies it to a control group, of version 1 or 2."""
        us = round(self.cores * _PERIOD_US)
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{us} {_PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(us))


def _make_group(name: str) -> Path:
    """Creates a control group for processor time.

    Raises:
        QuotaError: it cannot be created here.
    """
    # Version 1 has one tree of groups for each resource, version 2 one for all.
    parent = _CGROUPS / "cpu" if (_CGROUPS / "cpu").is_dir() else _CGROUPS
    group = parent / f"vizportal-{os.getpid()}-{name}"
    try:
        group.mkdir()
    except OSError as error:
        raise QuotaError(f"{group} cannot be made: {error.strerror}. It takes root.") from error
    if not any((group / limit).exists() for limit in ("cpu.max", "cpu.cfs_quota_us")):
        group.rmdir()
        raise QuotaError(f"{group} has no processor quota: is the cpu controller on?")
    return group


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A running worker."""

    name: str
    quota: Quota
    group: Path
    data_dir: Path

    def limit(self) -> None:
        """Applies its quota, which it did not have while it became ready."""
        self.quota.write(self.group)

    def cpu_s(self) -> float:
        """Returns the processor time of all processes that ever ran here."""
        if (self.group / "cpu.max").exists():
            fields = dict(line.split() for line in (self.group / "cpu.stat").read_text().splitlines())
            return int(fields["usage_usec"]) / 1e6
        # Version 1's separate tree, or the same one by another name.
        return int((_twin(self.group) / "cpuacct.usage").read_text()) / 1e9

    def renders(self) -> int:
        """Returns the number of renders stored here."""
        return len(self._pages())

    def last_page(self) -> str:
        """Returns the page that was stored last."""
        return max(self._pages(), key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")

    def _pages(self) -> list[Path]:
        return list((self.data_dir / "results").rglob("*.html"))


def _twin(group: Path) -> Path:
    return _CGROUPS / "cpuacct" / group.name


@contextlib.contextmanager
def worker_machine(house: House, name: str, quota: Quota) -> Iterator[Machine]:
    """Context manager: starts a worker, still without its quota; ends it and its host afterwards.

    Raises:
        QuotaError: no quota can be set here.
    """
    data_dir = house.directory / name
    data_dir.mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
        group = _make_group(name)
        stack.callback(_remove_group, group)
        groups = [group]
        if not (group / "cpu.max").exists():
            _twin(group).mkdir(exist_ok=True)
            stack.callback(_remove_group, _twin(group))
            groups.append(_twin(group))
        process = _start(house, data_dir, groups)
        stack.callback(_stop, process, data_dir)
        yield Machine(name=name, quota=quota, group=group, data_dir=data_dir)


def _start(house: House, data_dir: Path, groups: list[Path]) -> Any:
    join = "".join(f"echo $$ > {group}/cgroup.procs && " for group in groups)
    env = {**house.env, "VIZPORTAL_DATA_DIR": str(data_dir)}
    with (house.directory / f"{data_dir.name}.log").open("ab") as log:
        call = ["sh", "-c", f'{join}exec "$@"', "sh", sys.executable, *_WORKER]
        return subprocess.Popen(call, env=env, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)


def _stop(process: Any, data_dir: Path) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for run_dir in (data_dir / "run").glob("*"):
        hosts_end(run_dir)


def _remove_group(group: Path) -> None:
    until = time.monotonic() + _GONE_S
    while group.exists() and time.monotonic() < until:
        with contextlib.suppress(OSError):
            group.rmdir()
        time.sleep(0.05)
