"""The file access of a render: a Landlock ruleset, and the list of what every render may read.

Landlock rules only add access: an access right to a folder applies to everything below it and cannot be revoked there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX = (1 << bit for bit in range(13, 17))

READ: Final = EXECUTE | READ_FILE | READ_DIR
WRITE: Final = (
    READ
    | (WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | REFER | RESOLVE_UNIX)
    | (MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM)
)
DEVICE: Final = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV
# The kernel rejects a rule that gives a file access rights that only folders have.
_FILE_RIGHTS: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX

_WRITABLE_DEVICES: Final = frozenset({"/dev/null", "/dev/zero", "/dev/full"})
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/var/cache/fontconfig")
# Individual files, and folders of public data; never all of /etc.
_ETC: Final = (
    *(
        "ld.so.cache",
        "localtime",
        "timezone",
        "locale.alias",
        "passwd",
        "group",
        "nsswitch.conf",
        "fonts",
        "mime.types",
    ),
    *("services", "protocols", "os-release", "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/tls/openssl.cnf"),
)
# A process's own files, individually: all of /proc/self would also expose the machine's mounts and network, and so
# would the folders of its threads. The two folders may be listed, which is how programs count descriptors and threads.
_PROC_LISTED: Final = frozenset({"/proc/self/fd", "/proc/self/task"})
_PROC_FILES: Final = ("auxv", "cmdline", "comm", "environ", "io", "limits", "maps", "smaps", "smaps_rollup", "stat")
_PROC_SELF: Final = (*(f"/proc/self/{name}" for name in (*_PROC_FILES, "statm", "status")), *sorted(_PROC_LISTED))
_KERNEL: Final = (
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/loadavg"),
    *_PROC_SELF,
    # Allocators read these two when they start.
    *("/proc/sys/vm/overcommit_memory", "/sys/kernel/mm/transparent_hugepage"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
    # joblib, loky and LightGBM read them to count processors. Each contains only a number, the same for everybody.
    *("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
)
_TOO_WIDE: Final = frozenset(
    ("/", "/root", "/home", "/Users", "/etc", "/var", "/opt", "/srv", "/tmp", "/proc", "/sys", "/dev")  # noqa: S108
)


def read_abi() -> int:
    """Returns the kernel's Landlock version; 0 if it has none or it is disabled."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_ASK_VERSION))))


def handled(abi: int) -> tuple[int, int, int]:
    """Returns the bits a ruleset can govern: files, network (TCP bind, connect), scopes (abstract, signals)."""
    files = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV), (9, RESOLVE_UNIX)):
        files |= right if abi >= since else 0
    return (files if abi else 0), (0b11 if abi >= 4 else 0), (0b11 if abi >= 6 else 0)


def pack_ruleset(abi: int) -> bytes:
    """Returns struct landlock_ruleset_attr in the length that this version knows."""
    fields = 1 + (abi >= 4) + (abi >= 6)
    return struct.pack(f"={fields}Q", *handled(abi)[:fields])


class Ruleset:
    """A ruleset under construction. It denies by default; nothing is in force before `restrict`."""

    def __init__(self, abi: int) -> None:
        """Creates an empty ruleset.

        Raises:
            OSError: the kernel refused.
        """
        attributes = pack_ruleset(abi)
        self._files = handled(abi)[0]
        # Files in /proc get new inodes once nobody holds the old ones, and rules are attached to inodes.
        self._pinned: list[int] = []
        self._fd = _check(_libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))

    def add(self, path: str, rights: int, *, follow: bool = True) -> None:
        """Allows access to a path and everything below it, as far as the kernel knows the access rights.

        Raises:
            OSError: the path does not exist or cannot be reached.
        """
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
        try:
            is_folder = stat.S_ISDIR(os.fstat(fd).st_mode)
            access = rights & self._files & (-1 if is_folder else _FILE_RIGHTS)
            rule = struct.pack("=Qi", access, fd)
            _check(_libc().syscall(_ADD_RULE, self._fd, _PATH_BENEATH, rule, 0))
        finally:
            if path.startswith("/proc/"):
                self._pinned.append(fd)
            else:
                os.close(fd)

    def add_readable(self, paths: Iterable[str]) -> None:
        """Allows reading and executing, and writing to harmless devices. Skips missing paths."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
                self.add(path, _rights_of(path))

    def restrict(self) -> None:
        """Irrevocably applies the rules to the calling thread and what it starts from now on."""
        _check(_libc().syscall(_RESTRICT_SELF, self._fd, 0))
        os.close(self._fd)


def _rights_of(path: str) -> int:
    if path in _WRITABLE_DEVICES:
        return DEVICE
    return READ_DIR if path in _PROC_LISTED else READ


def read_paths() -> list[str]:
    """Returns what a render with this interpreter needs to read, without paths below others.

    The files of /proc/self keep that name, because they belong to the process that opens them.
    """
    prefixes = [part for prefix in (sys.prefix, sys.base_prefix) for part in _narrow(prefix)]
    found = [*prefixes, str(Path(sys.executable).resolve().parent)]
    found += [path for path in sys.path if path and not _is_too_wide(path)]
    found += [*_SYSTEM, *(f"/etc/{name}" for name in _ETC), *_KERNEL]
    # os.path, since Path raises for paths in a folder that this user may not enter.
    there = [path for path in found if os.path.exists(path)]  # noqa: PTH110
    real = {path: os.path.realpath(path) for path in there}
    wanted = {
        # A device or a file of /proc keeps its name, which says what it is.
        path if path.startswith(("/proc/", "/dev/")) else target
        for path, target in real.items()
        if not _is_too_wide(target)
    }
    return sorted(path for path in wanted if not any(path != other and _is_below(path, other) for other in wanted))


def _narrow(prefix: str) -> list[str]:
    if not _is_too_wide(prefix):
        return [prefix]
    return [str(Path(prefix, name)) for name in ("lib", "lib64", "bin", "share", "include")]


def _is_too_wide(path: str) -> bool:
    resolved = os.path.realpath(path)
    homes = {os.path.realpath(home) for home in _homes()}
    is_home = resolved in homes or str(Path(resolved).parent) in {"/home", "/Users"}
    return is_home or resolved in _TOO_WIDE or any(_is_below(home, resolved) for home in homes)


def _homes() -> list[str]:
    homes = [Path("~").expanduser()] if os.environ.get("HOME") else []
    with contextlib.suppress(KeyError):
        homes.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return [str(home) for home in homes]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result


_LIBC: list[ctypes.CDLL] = []


def _libc() -> ctypes.CDLL:
    if not _LIBC:
        _LIBC.append(ctypes.CDLL(None, use_errno=True))
    return _LIBC[0]
