"""The memory of processes, as reported by /proc.

Standard library only: the portal also uses it to measure its hosts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Final

from . import processes

_PAGE: Final = os.sysconf("SC_PAGESIZE")
# The kernel's name for shared anonymous memory.
_SHARED: Final = b"/dev/zero (deleted)"
_DELETED: Final = b" (deleted)"
# Up to this many processes are all read at once; with more, _TURN of them at a time.
_FEW: Final = 8
_TURN: Final = 2


def available_bytes() -> int:
    """Returns the memory available to new work; a large number if the system does not report it."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 2**62


def resident_bytes(pid: int) -> int:
    """Returns a process's memory in use, counting shared pages fully: fast, and never too low."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(128).split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Returns a process's memory in use, each shared page divided by its users (PSS); takes milliseconds."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:  # noqa: PTH123
            for line in file.read(4096).splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # it ended meanwhile
    return 0


def estimate(members: Mapping[int, processes.Member], leader: int, leader_bytes: int) -> int:
    """Returns an upper bound for the memory of processes, without reading what they share with each other.

    Args:
        leader: the process that all of them descend from.
        leader_bytes: its resident memory at the beginning. A process's copy of that counts once the process writes to
            it.
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
    """Measures the memory of a render's processes from their mappings.

    Reading a process takes a few milliseconds, but far more next to many that fork without pause, since the kernel
    makes readers and forks exclude each other. No other render is measured meanwhile, so many processes take turns.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[int, dict[int, int]]] = {}
        self._read_at: dict[int, float] = {}

    @property
    def memory_bytes(self) -> int:
        """Proportional sizes, page tables, and shared memory that is not resident in any process."""
        return sum(size for size, _ in self._found.values())

    @property
    def unlinked(self) -> dict[int, int]:
        """Bytes by inode of unnamed files that are mapped, on the disk of the render."""
        return {inode: size for _, files in self._found.values() for inode, size in files.items()}

    def sample(self, pids: Iterable[int], directory: str) -> None:
        """Reads the processes; if there are many, only those that were read least recently.

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
    """Returns the device that a path is on; 0 if the path is gone."""
    try:
        return os.stat(path).st_dev  # noqa: PTH116  (often)
    except OSError:
        return 0


def _read(pid: int, device: int) -> tuple[int, dict[int, int]]:
    """Returns the memory of a process, and the unnamed files that it has mapped."""
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
                    # The file's own size is unknown, so its mapped part counts.
                    files[inode] = files.get(inode, 0) + length
    except (OSError, ValueError):
        return 0, {}
    return proportional_bytes(pid) + tables + max(0, shared - resident), files


def _mapping(line: bytes) -> tuple[int, int, int, bytes]:
    addresses, _, _, numbers, inode, name = line.split(None, 5)
    start, end = (int(part, 16) for part in addresses.split(b"-"))
    major, minor = (int(part, 16) for part in numbers.split(b":"))
    return end - start, os.makedev(major, minor), int(inode), name.strip()
