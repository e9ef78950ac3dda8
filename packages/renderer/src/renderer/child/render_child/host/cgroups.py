"""A control group for each render, if this process may create them: hard limits that the kernel enforces.

Version 2 is one tree with a file `cgroup.kill`; version 1 is one tree per controller. See cgroups(7) and, in the
kernel's documentation, admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/. A process may create groups if it is root,
or if a service manager has delegated a subtree to its user.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

_CONTROLLERS: Final[tuple[str, ...]] = ("pids", "memory", "cpu")
Stage = Literal["short", "long", "ending"]
# The share of a new render, of one that has run for a while, and of one whose processes are exiting, which a worker
# waits for. The default share of a process is 1024 in version 1 and 100 in version 2.
_WEIGHTS: Final[Mapping[int, Mapping[Stage, int]]] = {
    1: {"short": 512, "long": 16, "ending": 8192},
    2: {"short": 50, "long": 2, "ending": 800},
}
_WEIGHT_FILES: Final = {1: "cpu.shares", 2: "cpu.weight"}


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A place in which groups can be created.

    Attributes:
        version: 1 or 2.
        folders: the folder for new groups by controller; in version 2 it is the same one for all.
    """

    version: int
    folders: Mapping[str, Path]

    @classmethod
    def read(cls, text: Mapping[str, Any]) -> Hierarchy | None:
        """Returns what `written` returned; None for an empty mapping."""
        return cls(text["version"], {name: Path(path) for name, path in text["folders"].items()}) if text else None

    def written(self) -> dict[str, Any]:
        """Returns the hierarchy as JSON values."""
        return {"version": self.version, "folders": {name: str(path) for name, path in self.folders.items()}}

    def below(self, name: str) -> Hierarchy:
        """Creates a group that can contain further groups, and returns it.

        Raises:
            OSError: the system refused.
        """
        folders = {controller: folder / name for controller, folder in self.folders.items()}
        for folder in dict.fromkeys(folders.values()):
            folder.mkdir()
        if self.version == 2:
            controllers = " ".join(f"+{name}" for name in folders)
            (folders["pids"] / "cgroup.subtree_control").write_text(controllers, encoding="ascii")
        return Hierarchy(self.version, folders)

    def remove(self) -> bool:
        """Removes the group and its subgroups; returns False while a process is in one of them."""
        inner = {folder / entry.name for folder in self.folders.values() for entry in _folders_in(folder)}
        return _remove([*inner, *self.folders.values()])

    def stale(self, prefix: str) -> list[Hierarchy]:
        """Returns the groups whose name is `prefix` plus the id of a process that no longer runs."""
        names = {entry.name for folder in self.folders.values() for entry in _folders_in(folder)}
        chosen = [name for name in names if name.startswith(prefix) and not _lives(name.removeprefix(prefix))]
        return [Hierarchy(self.version, {each: path / name for each, path in self.folders.items()}) for name in chosen]


class Group:
    """The control group of one render."""

    def __init__(self, hierarchy: Hierarchy, name: str) -> None:
        """Creates the group.

        Raises:
            OSError: the system refused.
        """
        self._version = hierarchy.version
        self._folders = {controller: folder / name for controller, folder in hierarchy.folders.items()}
        for folder in dict.fromkeys(self._folders.values()):
            folder.mkdir()

    def join(self) -> None:
        """Moves the calling process into the group.

        Raises:
            OSError: the system refused.
        """
        for folder in dict.fromkeys(self._folders.values()):
            (folder / "cgroup.procs").write_text("0", encoding="ascii")

    def limit(self, *, tasks: int, memory_bytes: int) -> None:
        """Limits the processes and threads, and the memory, of the group.

        Memory in unnamed files, on tmpfs and in kernel buffers counts too.

        Raises:
            OSError: the system refused.
        """
        self._write("pids", "pids.max", tasks)
        if self._version == 2:
            self._write("memory", "memory.swap.max", 0, is_vital=False)
            self._write("memory", "memory.oom.group", 1, is_vital=False)
            self._write("memory", "memory.max", memory_bytes)
        else:
            self._write("memory", "memory.limit_in_bytes", memory_bytes)
            self._write("memory", "memory.memsw.limit_in_bytes", memory_bytes, is_vital=False)
        self.weigh("short")

    def weigh(self, stage: Stage) -> None:
        """Sets the group's share of the processors, relative to other renders and everything else.

        Args:
            stage: "short" at first, "long" once it gives way to newer renders, "ending" after the kill.
        """
        self._write("cpu", _WEIGHT_FILES[self._version], _WEIGHTS[self._version][stage], is_vital=False)

    def refused_tasks(self) -> bool:
        """Whether the limit of processes and threads stopped the group from starting one."""
        return self._count("pids", "pids.events", "max") > 0

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process because the group reached its memory limit."""
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        return self._count("memory", name, "oom_kill") > 0

    def memory_bytes(self) -> int:
        """Returns the group's memory without cached files; 0 if the system does not report it."""
        names = ("anon", "shmem") if self._version == 2 else ("total_rss", "total_shmem")
        return sum(self._count("memory", "memory.stat", name) for name in names)

    def peak_bytes(self) -> int:
        """Returns the group's peak memory including cached files and kernel buffers; 0 if unknown."""
        name = "memory.peak" if self._version == 2 else "memory.max_usage_in_bytes"
        with contextlib.suppress(OSError, ValueError, KeyError):
            return int((self._folders["memory"] / name).read_text(encoding="ascii"))
        return 0

    def kill(self) -> None:
        """Kills every process of the group in version 2; does nothing in version 1."""
        if self._version == 2:
            with contextlib.suppress(OSError):
                (self._folders["pids"] / "cgroup.kill").write_text("1", encoding="ascii")

    def remove(self) -> bool:
        """Removes the group; returns False while it contains a process, as the kernel decides."""
        return _remove(self._folders.values())

    def _count(self, controller: str, name: str, word: str) -> int:
        with contextlib.suppress(OSError, ValueError, KeyError, StopIteration):
            lines = (self._folders[controller] / name).read_text(encoding="ascii").splitlines()
            return int(next(line.split()[1] for line in lines if line.split()[0] == word))
        return 0

    def _write(self, controller: str, name: str, value: int, *, is_vital: bool = True) -> None:
        folder = self._folders.get(controller)
        if folder is None:
            return
        try:
            (folder / name).write_text(str(value), encoding="ascii")
        except OSError:
            if is_vital:
                raise


def _folders_in(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _lives(pid: str) -> bool:
    return Path("/proc", pid).exists() if pid.isdecimal() else True


def _remove(folders: Iterable[Path]) -> bool:
    for folder in dict.fromkeys(folders):
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def find() -> Hierarchy | None:
    """Returns the place in which this process can create control groups; None if it cannot."""
    if sys.platform != "linux":
        return None
    try:
        mine = _own_groups()
    except (OSError, ValueError):
        return None
    for hierarchy in (_version_2(mine), _version_1(mine)):
        if hierarchy is not None and _works(hierarchy):
            return hierarchy
    return None


def _own_groups() -> dict[str, str]:
    """Returns this process's group by controller; the key "" means version 2."""
    found: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def _mounts() -> list[tuple[str, str, str, str]]:
    """Returns (file system, options, root, mount point) of each mount."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        found.append((kind, options, root, point))
    return found


def _version_2(mine: Mapping[str, str]) -> Hierarchy | None:
    for kind, _, root, point in _mounts():
        if kind != "cgroup2" or "" not in mine:
            continue
        own = Path(point + mine[""].removeprefix(root.rstrip("/")))
        # A group with processes of its own cannot contain limited groups, so the parent group is tried too.
        for folder in (own, own.parent):
            with contextlib.suppress(OSError):
                enabled = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
                found = {name: folder for name in _CONTROLLERS if name in enabled}
                if "pids" in found and os.access(folder / "cgroup.procs", os.W_OK):
                    return Hierarchy(2, found)
    return None


def _version_1(mine: Mapping[str, str]) -> Hierarchy | None:
    found = {}
    for kind, options, root, point in _mounts():
        for name in _CONTROLLERS:
            if kind == "cgroup" and name in options.split(",") and name in mine:
                found[name] = Path(point + mine[name].removeprefix(root.rstrip("/")))
    return Hierarchy(1, found) if "pids" in found else None


def _works(hierarchy: Hierarchy) -> bool:
    """Whether a group can be created, joined by a child of this process, and removed."""
    try:
        group = Group(hierarchy, f"vizportal-try-{os.getpid()}")
    except OSError:
        return False
    pid = os.fork()
    if not pid:
        try:
            group.join()
            os._exit(0)
        finally:
            os._exit(1)
    has_joined = os.waitpid(pid, 0)[1] == 0
    return group.remove() and has_joined
