"""How much memory processes have, by what /proc says of them.

Standard library only: the portal reads the memory of its hosts with this too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Final

from . import processes

_PAGE: Final = os.sysconf("SC_PAGESIZE")
# How the kernel names anonymous memory that is shared.
_SHARED: Final = b"/dev/zero (deleted)"
_DELETED: Final = b" (deleted)"
# As long as there are no more processes, all of them are read at once; of more, so many at a time.
_FEW: Final = 8
_TURN: Final = 2


def available_bytes() -> int:
    """Returns the memory that new work can have; a lot where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 2**62


def resident_bytes(pid: int) -> int:
    """Returns the memory a process has in use, shared pages counted whole: quick, and never too little."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(128).split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Returns the memory a process has in use, each shared page divided by its users (PSS); costs milliseconds."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:  # noqa: PTH123
            for line in file.read(4096).splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # it ended meanwhile
    return 0


def estimate(members: Mapping[int, processes.Member], leader: int, leader_bytes: int) -> int:
    """Returns how much memory processes have at most, without asking what they share among each other.

    Args:
        leader: the process that all of them descend from.
        leader_bytes: what was resident in it at first. Copies of that count from when a process writes to it.
    """
    image = members[leader].image if leader in members else None
    total = leader_bytes
    for member in members.values():
        if member.image == image:
            own = max(member.resident_bytes - leader_bytes, min(member.resident_bytes, member.faulted_bytes))
            total += max(0, own)
        else:
            total += member.resident_bytes
    return total


class Sampler:
    """Measures what belongs to a render's processes by reading how their memory is mapped.

    A process is read in a few milliseconds, and in far more beside many that fork without a pause, since the kernel
    keeps readers and forks apart. Nobody else is looked after meanwhile, so where there are many, they take turns.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[int, dict[int, int]]] = {}
        self._read_at: dict[int, float] = {}

    @property
    def memory_bytes(self) -> int:
        """Proportional sizes, page tables, and shared memory that is resident in no process."""
        return sum(size for size, _ in self._found.values())

    @property
    def unlinked(self) -> dict[int, int]:
        """Bytes by inode of files without a name that are mapped, on the disk of the render."""
        return {inode: size for _, files in self._found.values() for inode, size in files.items()}

    def sample(self, pids: Iterable[int], directory: str) -> None:
        """Reads the processes, or where there are many those whose last turn is longest ago.

        Args:
            directory: of the render.
        """
        alive = set(pids)
        for gone in self._found.keys() - alive:
            del self._found[gone], self._read_at[gone]
        most = len(alive) if len(alive) <= _FEW else _TURN
        device = device_of(directory)
        for pid in sorted(alive, key=lambda each: self._read_at.get(each, 0.0))[:most]:
            self._found[pid] = _read(pid, device)
            self._read_at[pid] = time.monotonic()


def device_of(path: str) -> int:
    """Returns the device that a path is on; 0 where it is gone."""
    try:
        return os.stat(path).st_dev  # noqa: PTH116  (often)
    except OSError:
        return 0


def _read(pid: int, device: int) -> tuple[int, dict[int, int]]:
    """Returns the memory of a process, and the files without a name that it has mapped."""
    tables = resident = shared = 0
    files: dict[int, int] = {}
    try:
        with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123
            for line in file:
                if line.startswith(b"VmPTE:"):
                    tables = int(line.split()[1]) * 1024
                elif line.startswith(b"RssShmem:"):
                    resident = int(line.split()[1]) * 1024
        with open(f"/proc/{pid}/maps", "rb") as file:  # noqa: PTH123
            for line in file:
                if not line.rstrip().endswith(_DELETED):
                    continue
                length, found_on, inode, name = _mapping(line)
                if name == _SHARED:
                    shared += length
                elif found_on == device:
                    # The file's own size is unknown, so what is mapped of it counts.
                    files[inode] = files.get(inode, 0) + length
    except (OSError, ValueError):
        return 0, {}
    return proportional_bytes(pid) + tables + max(0, shared - resident), files


def _mapping(line: bytes) -> tuple[int, int, int, bytes]:
    addresses, _, _, numbers, inode, name = line.split(None, 5)
    start, end = (int(part, 16) for part in addresses.split(b"-"))
    major, minor = (int(part, 16) for part in numbers.split(b":"))
    return end - start, os.makedev(major, minor), int(inode), name.strip()
