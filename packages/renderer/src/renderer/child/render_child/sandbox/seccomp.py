"""The system call filter of a render: a BPF program that allows by default and refuses what no notebook needs.

Landlock restricts files. This filter restricts the kernel's other interfaces (sockets, tracing, namespaces, mounts) and
the few file calls that Landlock leaves open (modes, owners, times, locks, watches). It also keeps every process of a
render in one process group, so that one signal ends all of them (host/containment.py).
"""

from __future__ import annotations

import errno
import functools
import platform
import struct
from collections.abc import Sequence
from typing import Final, Literal

from .system_calls import ANSWERS, ARCHITECTURES, CHECKED, COLUMNS, GROUP, Numbers

Sockets = Literal["none", "unix"]
"""Which `socket()` calls are allowed: none, or AF_UNIX and AF_NETLINK (libzmq aborts without the latter)."""
Spawning = Literal["processes", "threads"]
"""What may be started: processes and threads, or threads only."""

_X32_BIT: Final = 0x40000000

_KILL_PROCESS: Final = 0x80000000
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45  # BPF_JMP|JEQ|K, JGE, JSET
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # struct seccomp_data

_AF_UNIX, _AF_NETLINK = 1, 16
_SOCK_STREAM, _SOCK_SEQPACKET, _SOCK_TYPE_MASK = 1, 5, 0xF
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; and CLONE_PARENT, which would make the host the
# parent of processes that it did not start.
_CLONE_REFUSED: Final = 0x7E020000 | 0x8000
_CLONE_THREAD: Final = 0x10000
# PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_PTRACER: the host sets them and relies on them.
_PRCTL_REFUSED: Final = (1, 4, 36, 0x59616D61)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PERSONALITY_QUERY: Final = 0xFFFFFFFF
_PRIO_PROCESS, _IOPRIO_WHO_PROCESS = 0, 1
# fcntl's F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW; F_SETOWN, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ.
_FCNTL_LOCKS: Final = (6, 7, 37, 38)
_FCNTL_REFUSED: Final = (8, 15, 1024, 1026, 1031)
# SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE. Buffers of pipes and sockets are kernel memory that belongs to
# no process, so they keep their size.
_SOL_SOCKET: Final = 1
_BUFFER_SIZES: Final = (7, 8, 32, 33)
_SIGN_BIT: Final = 0x80000000

_Instruction = tuple[int, int, int, int]


@functools.cache
def build(sockets: Sockets, spawning: Spawning = "processes", machine: str = "") -> bytes:
    """Returns the program: an array of struct sock_filter.

    Only the low halves of arguments are compared. Every checked argument is an int in the kernel (clone also cuts its
    flags to 32 bits), which ignores the high half; comparing both halves could be evaded by filling the high one.

    Raises:
        KeyError: there is no filter for this architecture.
    """
    return _assemble(_checks(sockets, spawning), ANSWERS, machine or platform.machine())


@functools.cache
def build_group(spawning: Spawning = "processes", machine: str = "") -> bytes:
    """Returns the part of the program that keeps a process, and all it starts, in its process group.

    Raises:
        KeyError: there is no filter for this architecture.
    """
    answers = tuple(({name: table[name] for name in GROUP if name in table}, answer) for table, answer in ANSWERS)
    return _assemble(_group_checks(spawning), answers, machine or platform.machine())


def _assemble(checks: dict[str, list[_Instruction]], answers: Sequence[tuple[Numbers, int]], machine: str) -> bytes:
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":
        program += [(_IF_AT_LEAST, 0, 1, _X32_BIT), _refuse(errno.ENOSYS)]
    # A block always returns, so the number is still loaded if the block is skipped.
    for name, block in checks.items():
        call = CHECKED[name][COLUMNS[machine]]
        if call is not None:
            program += [(_IF_EQUAL, 0, len(block), call), *block]
    for table, answer in answers:
        for numbers in table.values():
            call = numbers[COLUMNS[machine]]
            if call is not None:
                program += [(_IF_EQUAL, 0, 1, call), _refuse(answer)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _group_checks(spawning: Spawning) -> dict[str, list[_Instruction]]:
    may_spawn = [(_RETURN, 0, 0, _ALLOW) if spawning == "processes" else _refuse(errno.EAGAIN)]
    return {"clone": _check_clone(spawning), "fork": may_spawn, "vfork": may_spawn, "kill": _check_kill()}


def _checks(sockets: Sockets, spawning: Spawning) -> dict[str, list[_Instruction]]:
    # connect or sendto can turn a datagram pair into any other socket, so it counts as a socket.
    pair_types = (_SOCK_STREAM, _SOCK_SEQPACKET)
    own_process, own_or_pretended = _require([(0, (0,))]), _require([(0, (0,))], 0)
    # Descriptors in transit between two sockets belong to no process, nor does the disk space that they hold.
    may_send = [(_RETURN, 0, 0, _ALLOW) if sockets == "unix" else _refuse(errno.EPERM)]
    return {
        "socket": [_refuse(errno.EACCES)] if sockets == "none" else _check_family(),
        "socketpair": (
            _require([(0, (_AF_UNIX,)), (1, pair_types)], errno.EACCES, {1: _SOCK_TYPE_MASK})
            if sockets == "none"
            else _require([(0, (_AF_UNIX,))], errno.EACCES)
        ),
        "setsockopt": _check_buffers(),
        "sendmsg": may_send,
        "sendmmsg": may_send,
        **_group_checks(spawning),
        "fcntl": _check_fcntl(),
        "prctl": _forbid(0, _PRCTL_REFUSED),
        "ioctl": _forbid(1, (_TIOCSTI, _TIOCLINUX)),
        "personality": _require([(0, (_PERSONALITY_QUERY,))]),
        "prlimit64": own_process,
        # Landlock does not cover these either: a render could starve the worker, which has the same user. Calls with an
        # id are answered as if they succeeded, since it may be a thread of the render: libzmq aborts if it cannot set
        # that.
        "sched_setaffinity": own_or_pretended,
        "sched_setscheduler": own_or_pretended,
        "sched_setparam": own_or_pretended,
        "sched_setattr": own_process,
        "setpriority": _require([(0, (_PRIO_PROCESS,)), (1, (0,))]),
        "ioprio_set": _require([(0, (_IOPRIO_WHO_PROCESS,)), (1, (0,))]),
    }


def _load(argument: int) -> _Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)


def _refuse(answer: int) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | answer)


def _forbid(argument: int, values: Sequence[int]) -> list[_Instruction]:
    refusals = [part for value in values for part in ((_IF_EQUAL, 0, 1, value), _refuse(errno.EPERM))]
    return [_load(argument), *refusals, (_RETURN, 0, 0, _ALLOW)]


def _require(
    arguments: Sequence[tuple[int, Sequence[int]]], answer: int = errno.EPERM, masks: dict[int, int] | None = None
) -> list[_Instruction]:
    block: list[_Instruction] = []
    for argument, values in arguments:
        block.append(_load(argument))
        if masks and argument in masks:
            block.append((_AND, 0, 0, masks[argument]))
        # Jumps from each match over the remaining values and the refusal.
        block += [(_IF_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
        block.append(_refuse(answer))
    return [*block, (_RETURN, 0, 0, _ALLOW)]


def _check_clone(spawning: Spawning) -> list[_Instruction]:
    block = [_load(0), (_IF_ANY_BIT, 0, 1, _CLONE_REFUSED), _refuse(errno.EPERM)]
    if spawning == "threads":
        block += [(_IF_ANY_BIT, 1, 0, _CLONE_THREAD), _refuse(errno.EAGAIN)]
    return [*block, (_RETURN, 0, 0, _ALLOW)]


def _check_kill() -> list[_Instruction]:
    # Zero and negative ids name groups. The only group contains the render itself, and a program that wanted to signal
    # a group of its own would end the whole render.
    return [
        _load(0),
        (_IF_EQUAL, 1, 0, 0),
        (_IF_ANY_BIT, 0, 1, _SIGN_BIT),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _check_fcntl() -> list[_Instruction]:
    pretended = [part for value in _FCNTL_LOCKS for part in ((_IF_EQUAL, 0, 1, value), _refuse(0))]
    load, *rest = _forbid(1, _FCNTL_REFUSED)
    return [load, *pretended, *rest]


def _check_buffers() -> list[_Instruction]:
    sizes = [part for value in _BUFFER_SIZES for part in ((_IF_EQUAL, 0, 1, value), _refuse(0))]
    other_level = len(sizes) + 1
    return [_load(1), (_IF_EQUAL, 0, other_level, _SOL_SOCKET), _load(2), *sizes, (_RETURN, 0, 0, _ALLOW)]


def _check_family() -> list[_Instruction]:
    # Only netlink protocol 0 (routes), which getifaddrs uses; others expose sockets, devices and audit.
    return [
        _load(0),
        (_IF_EQUAL, 3, 0, _AF_UNIX),
        (_IF_EQUAL, 0, 3, _AF_NETLINK),
        _load(2),
        (_IF_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        _refuse(errno.EACCES),
    ]
