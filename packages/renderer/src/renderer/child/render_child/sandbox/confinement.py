"""The sandbox of a render: rights given up by the process itself, for good, right before it runs foreign code.

Landlock decides about files (landlock.py), a system call filter about everything else (seccomp.py), resource limits
about sizes; capabilities go altogether. No privilege is needed for any of it. What takes time is done by `prepare`
while the child has nothing else to do; `enter` is some dozens of system calls.
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
    """The sandbox could not be put on. The process must end without running foreign code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What a render is kept from here.

    Attributes:
        mode: the one in force, "none" where the kernel has not what the wanted one takes.
        abi: the kernel's Landlock version; 0 where there is none.
        gaps: what foreign code can reach all the same: files, truncation, network, signals, abstract sockets,
            unix sockets by path.
    """

    mode: Mode
    abi: int
    gaps: tuple[str, ...]


def describe(mode: Mode, sockets: Sockets = "none") -> Confinement:
    """Returns what a mode comes to on this kernel, by its version; `probe.self_test` finds out by trying."""
    abi = landlock.read_abi()
    if mode == "none" or not abi or not has_seccomp():
        return Confinement(mode="none", abi=abi, gaps=("files", "network", "signals"))
    return Confinement(mode=mode, abi=abi, gaps=gaps_of(abi, sockets))


def gaps_of(abi: int, sockets: Sockets) -> tuple[str, ...]:
    """Returns what Landlock of a version leaves open; `socket()` is the filter's and never among them."""
    is_unix = sockets == "unix"
    found = {
        # open(O_TRUNC) empties what may only be read.
        "truncation": abi < 3,
        "signals": abi < 6,
        "abstract sockets": abi < 6 and is_unix,
        "unix sockets by path": abi < 9 and is_unix,
    }
    return tuple(gap for gap, is_open in found.items() if is_open)


class Sandbox:
    """A sandbox that is ready to be entered, once, by the process that prepared it."""

    def __init__(self, mode: Mode, ruleset: landlock.Ruleset | None) -> None:
        """Use `prepare`."""
        self.mode: Final = mode
        self._ruleset = ruleset
        # Rules name the files of the process that opened them (/proc/self), and a ruleset is shared across a fork.
        self._pid = os.getpid()

    @classmethod
    def prepare(cls, *, mode: Mode, read_paths: Sequence[str]) -> Sandbox:
        """Does what can be done before the render is known, in the process that will enter.

        The process notices one thing of it: programs it starts gain no capabilities any more.

        Args:
            mode: "landlock", or "none" for resource limits and the filter that keeps the process in its group.
            read_paths: files and folders to read and execute, as from `read_paths`; missing ones are skipped.

        Raises:
            SandboxError: the kernel has not what the mode takes; see `describe`.
        """
        if mode == "none":
            return cls(mode, None)
        if describe(mode).mode == "none":
            raise SandboxError(f"This kernel has no sandbox of the mode {mode!r}: it takes Landlock and seccomp.")
        seccomp.build("none"), seccomp.build("unix")  # kept
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
        """Gives up this process's rights, and those of all it will start. Descriptors that are open stay open.

        Args:
            readable: paths to read and execute besides the prepared ones.
            writable: folders to read, write and execute in.
            sockets: which families `socket()` may make.
            max_file_bytes: of each file written.
            max_tasks: processes and threads of this user, beyond which none can be started; None for no limit.
            spawning: whether processes may be started, or threads only.

        Raises:
            SandboxError: it did not come to hold; the process may be confined in part and must end.
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
        # Landlock holds for the calling thread only. A folder has a link for each folder in it, and two of its own.
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
    # Before the capabilities themselves, since it takes one. Past the last number the answer is EINVAL.
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
    """Whether this kernel takes system call filters, and there is one for this kind of machine."""
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


# Looked up once, in the host: each child has it by the fork.
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else ctypes.CDLL(None)
