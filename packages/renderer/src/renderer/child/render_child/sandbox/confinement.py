"""The sandbox of a render: the process itself irrevocably drops its privileges right before it runs untrusted code.

Landlock restricts files (landlock.py), a system call filter everything else (seccomp.py), resource limits restrict
sizes, and all capabilities are dropped. None of this requires privileges. `prepare` does the slow part while the child
is idle; `enter` is a few dozen system calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from . import landlock, seccomp, system_calls
from .landlock import read_paths
from .seccomp import Sockets, Spawning

__all__ = ["Confinement", "Mode", "Sandbox", "SandboxError", "Sockets", "Spawning", "describe", "read_paths"]

Mode = Literal["landlock", "none"]

_MAX_OPEN_FILES: Final = 1024
_MAX_LOCKED_BYTES: Final = 64 * 1024
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3: Final = 0x20080522
_SECCOMP_SET_MODE_FILTER, _SECCOMP_GET_ACTION_AVAIL = 1, 2
_SYS_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}


class SandboxError(Exception):
    """The sandbox could not be entered. The process must end without running untrusted code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The restrictions that a render is under on this machine.

    Attributes:
        mode: the mode in force; "none" if the kernel lacks what the wanted mode requires.
        abi: the kernel's Landlock version; 0 if there is none.
        gaps: what untrusted code can reach nevertheless: files, truncation, network, signals, abstract sockets, unix
            sockets by path.
    """

    mode: Mode
    abi: int
    gaps: tuple[str, ...]


def describe(mode: Mode, sockets: Sockets = "none") -> Confinement:
    """Returns what a mode provides on this kernel according to its version; `probe.self_test` tests it in practice."""
    abi = landlock.read_abi()
    if mode == "none" or not abi or not has_seccomp():
        return Confinement(mode="none", abi=abi, gaps=("files", "network", "signals"))
    return Confinement(mode=mode, abi=abi, gaps=gaps_of(abi, sockets))


def gaps_of(abi: int, sockets: Sockets) -> tuple[str, ...]:
    """Returns what a Landlock version leaves open. Never includes `socket()`, which the filter covers."""
    is_unix = sockets == "unix"
    found = {
        # open(O_TRUNC) empties files that are otherwise read-only.
        "truncation": abi < 3,
        "signals": abi < 6,
        "abstract sockets": abi < 6 and is_unix,
        "unix sockets by path": abi < 9 and is_unix,
    }
    return tuple(gap for gap, is_open in found.items() if is_open)


class Sandbox:
    """A prepared sandbox, to be entered once, by the process that prepared it."""

    def __init__(self, mode: Mode, ruleset: landlock.Ruleset | None) -> None:
        """Internal: use `prepare`."""
        self.mode: Final = mode
        self._ruleset = ruleset
        # Rules refer to the files of the process that opened them (/proc/self), and a fork shares the ruleset.
        self._pid = os.getpid()

    @classmethod
    def prepare(cls, *, mode: Mode, read_paths: Sequence[str]) -> Sandbox:
        """Does everything possible before the render is known, in the process that will enter.

        This has one effect on the process: programs that it starts no longer gain capabilities.

        Args:
            mode: "landlock", or "none" for resource limits and the filter that keeps the process in its group.
            read_paths: files and folders to read and execute, as from `read_paths`; missing ones are skipped.

        Raises:
            SandboxError: the kernel lacks what the mode requires; see `describe`.
        """
        if mode == "none":
            return cls(mode, None)
        if describe(mode).mode == "none":
            raise SandboxError(f"This kernel has no sandbox of the mode {mode!r}: it takes Landlock and seccomp.")
        seccomp.build("none"), seccomp.build("unix")  # cached
        try:
            ruleset = landlock.Ruleset(landlock.read_abi())
            ruleset.add_readable(read_paths)
            _drop_bounding_set()
        except OSError as error:
            raise SandboxError(f"The sandbox could not be prepared: {error}.") from error
        return cls(mode, ruleset)

    def enter(
        self,
        *,
        readable: Sequence[str],
        writable: Sequence[str],
        sockets: Sockets,
        max_file_bytes: int,
        max_tasks: int | None = None,
        spawning: Spawning = "processes",
    ) -> None:
        """Restricts this process and all that it will start. Open descriptors stay open.

        Args:
            readable: paths to read and execute in addition to the prepared ones.
            writable: folders to read, write and execute in.
            sockets: the families that `socket()` may create.
            max_file_bytes: size limit of each file written.
            max_tasks: limit of this user's processes and threads; None for no limit.
            spawning: whether processes may be started, or threads only.

        Raises:
            SandboxError: it is not fully in force; the process may be partly confined and must end.
        """
        try:
            self._check_process()
            if self._ruleset is not None:
                for paths, rights in ((readable, landlock.READ), (writable, landlock.WRITE)):
                    for path in paths:
                        self._ruleset.add(path, rights, follow=False)
            _set_limits(max_file_bytes, max_tasks)
            if self._ruleset is not None:
                _drop_capabilities()
                _call("prctl(PR_SET_NO_NEW_PRIVS)", _prctl(_PR_SET_NO_NEW_PRIVS, 1))
                self._ruleset.restrict()
                _install_filter(seccomp.build(sockets, spawning))
            elif has_seccomp():
                _call("prctl(PR_SET_NO_NEW_PRIVS)", _prctl(_PR_SET_NO_NEW_PRIVS, 1))
                _install_filter(seccomp.build_group(spawning))
        except (OSError, ValueError) as error:
            raise SandboxError(f"The sandbox could not be entered: {error}.") from error

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise SandboxError("The sandbox was prepared by another process.")
        # Landlock restricts the calling thread only. A folder has one link per subfolder, plus two.
        if self._ruleset is not None and os.stat("/proc/self/task").st_nlink != 3:  # noqa: PTH116  (in a hurry)
            raise SandboxError("A process with more than one thread cannot be confined as a whole.")


def _set_limits(max_file_bytes: int, max_tasks: int | None) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: max_file_bytes,
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
        resource.RLIMIT_MEMLOCK: _MAX_LOCKED_BYTES,
    }
    if max_tasks is not None:
        limits[resource.RLIMIT_NPROC] = max_tasks
    for limit, wanted in limits.items():
        _, hard = resource.getrlimit(limit)
        # Only a privileged process may raise the hard limit again.
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(limit, (value, value))


def _drop_bounding_set() -> None:
    # Before the capabilities themselves, since it requires one. Numbers past the last one give EINVAL.
    capability = 0
    while _prctl(_PR_CAPBSET_DROP, capability) == 0:
        capability += 1
    if ctypes.get_errno() not in {errno.EPERM, errno.EINVAL}:
        _call("prctl(PR_CAPBSET_DROP)", -1)


def _drop_capabilities() -> None:
    _call("prctl(PR_CAP_AMBIENT)", _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL))
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _call("capset", _libc.capset(header, bytes(24)))


def _install_filter(program: bytes) -> None:
    array = ctypes.create_string_buffer(program, len(program))
    length_and_pointer = struct.pack("@HP", len(program) // 8, ctypes.addressof(array))
    _call("seccomp", _seccomp(_SECCOMP_SET_MODE_FILTER, length_and_pointer))


def has_seccomp() -> bool:
    """Whether this kernel supports system call filters, and there is a filter for this machine's architecture."""
    return system_calls.is_supported() and _seccomp(_SECCOMP_GET_ACTION_AVAIL, struct.pack("=I", 0x00050000)) == 0


def _seccomp(operation: int, argument: bytes) -> int:
    number = _SYS_SECCOMP[os.uname().machine]
    return int(_libc.syscall(number, ctypes.c_uint(operation), ctypes.c_uint(0), argument))


def _prctl(option: int, value: int) -> int:
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def _call(name: str, result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


# Resolved once, in the host; children inherit it.
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else ctypes.CDLL(None)
