"""Interpret the system call filter as the kernel does."""

import ctypes
import errno
import mmap
import platform
import signal
import struct

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox
from renderer.child.render_child.sandbox import seccomp, system_calls

from packages.renderer.tests.sandbox.forks import needs_confinement, run_forked

ALLOW, KILL = 0x7FFF0000, 0x80000000


def judge(program, machine, name, *arguments, number=None, architecture=None):
    """Runs a filter as the kernel does and returns its result: "allow", "kill" or an errno."""
    number = system_calls.number(name, machine) if number is None else number
    words = [*arguments, *([0] * (6 - len(arguments)))]
    seen = struct.pack("<IIQ6Q", number, architecture or system_calls.ARCHITECTURES[machine], 0, *words)
    instructions = list(struct.iter_unpack("=HBBI", program))
    at = register = 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("<I", seen, value)
        elif code == 0x54:
            register &= value
        elif code == 0x06:
            return {ALLOW: "allow", KILL: "kill"}.get(value, value & 0xFFFF)
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            at += if_true if holds else if_false


HIGH = 1 << 40


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("sockets", "name", "arguments", "answer"),
    [
        ("none", "socket", (1, 1), errno.EACCES),
        ("none", "socket", (2, 1), errno.EACCES),
        ("none", "socketpair", (1, 1 | 0o2000000), "allow"),
        ("none", "socketpair", (1, 5), "allow"),
        ("none", "socketpair", (1, 2), errno.EACCES),
        ("none", "socketpair", (30, 1), errno.EACCES),
        ("unix", "socket", (1, 2), "allow"),
        ("unix", "socket", (16, 3, 0), "allow"),
        ("unix", "socket", (16, 3, 4), errno.EACCES),
        ("unix", "socket", (2, 1), errno.EACCES),
        ("unix", "socket", (2 | HIGH, 1), errno.EACCES),
        ("unix", "socket", (40, 1), errno.EACCES),
        ("unix", "socketpair", (1, 2), "allow"),
        ("unix", "socketpair", (30, 1), errno.EACCES),
        ("none", "clone", (0x003D0F00,), "allow"),
        ("none", "clone", (17,), "allow"),
        ("none", "clone", (0x10000000 | 17,), errno.EPERM),
        ("none", "clone", (0x00020000 | 17,), errno.EPERM),
        ("none", "clone", (0x00008000 | 17,), errno.EPERM),
        ("none", "clone3", (), errno.ENOSYS),
        ("none", "prctl", (1,), errno.EPERM),
        ("none", "prctl", (1 | HIGH,), errno.EPERM),
        ("none", "prctl", (0x59616D61,), errno.EPERM),
        ("none", "prctl", (15,), "allow"),
        ("none", "ioctl", (0, 0x5401), "allow"),
        ("none", "ioctl", (0, 0x5412 | HIGH), errno.EPERM),
        ("none", "ioctl", (0, 0x541C), errno.EPERM),
        ("none", "ioctl", (0x5412, 0x5401), "allow"),
        ("none", "prlimit64", (0,), "allow"),
        ("none", "prlimit64", (1,), errno.EPERM),
        ("none", "personality", (0xFFFFFFFF,), "allow"),
        ("none", "personality", (0,), errno.EPERM),
        ("none", "sched_setaffinity", (0,), "allow"),
        ("none", "sched_setaffinity", (1,), 0),
        ("none", "sched_setattr", (1,), errno.EPERM),
        ("none", "setpriority", (0, 0), "allow"),
        ("none", "setpriority", (0, 1), errno.EPERM),
        ("none", "setpriority", (2, 0), errno.EPERM),
        ("none", "fchmod", (), 0),
        ("none", "fsetxattr", (), errno.EOPNOTSUPP),
        ("none", "mq_open", (), errno.EPERM),
        ("none", "memfd_secret", (), errno.ENOSYS),
        ("none", "memfd_create", (), errno.ENOSYS),
        ("none", "setsid", (), 0),
        ("none", "setpgid", (0, 0), 0),
        ("none", "kill", (1,), "allow"),
        ("none", "kill", (0,), errno.EPERM),
        ("none", "kill", (0xFFFFFFFF,), errno.EPERM),
        ("none", "kill", (0xFFFFFFFFFFFFFF85,), errno.EPERM),
        ("none", "kill", (HIGH,), errno.EPERM),
        ("none", "flock", (3, 2), 0),
        ("none", "fcntl", (3, 1), "allow"),
        ("none", "fcntl", (3, 6), 0),
        ("none", "fcntl", (3, 38), 0),
        ("none", "fcntl", (3, 1024), errno.EPERM),
        ("none", "fcntl", (3, 1026 | HIGH), errno.EPERM),
        ("none", "fcntl", (3, 1031), errno.EPERM),
        ("none", "setsockopt", (3, 1, 7), 0),
        ("unix", "setsockopt", (3, 1, 33), 0),
        ("none", "setsockopt", (3, 1, 2), "allow"),
        ("none", "setsockopt", (3, 6, 7), "allow"),
        ("none", "sendmsg", (3,), errno.EPERM),
        ("unix", "sendmsg", (3,), "allow"),
    ],
)
def test_filter_result_of_each_system_call(machine, sockets, name, arguments, answer):
    assert judge(seccomp.build(sockets, machine=machine), machine, name, *arguments) == answer


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("program", ["whole", "group"])
def test_threads_only_filter_allows_threads_and_refuses_processes(machine, program):
    whole = program == "whole"
    build = (lambda **how: seccomp.build("none", **how)) if whole else seccomp.build_group
    threads, processes = (build(spawning=each, machine=machine) for each in ("threads", "processes"))
    assert judge(threads, machine, "clone", 0x003D0F00) == "allow"
    assert judge(threads, machine, "clone", 17) == errno.EAGAIN
    assert judge(processes, machine, "clone", 17) == "allow"
    if machine == "x86_64":
        assert {judge(threads, machine, name) for name in ("fork", "vfork")} == {errno.EAGAIN}
        assert {judge(processes, machine, name) for name in ("fork", "vfork")} == {"allow"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_group_filter_only_keeps_a_process_in_its_group(machine):
    program = seccomp.build_group(machine=machine)
    assert [judge(program, machine, name) for name in ("setsid", "setpgid", "clone3")] == [0, 0, errno.ENOSYS]
    assert judge(program, machine, "clone", 0x20000000 | 17) == errno.EPERM
    assert judge(program, machine, "kill", 0) == errno.EPERM
    assert {
        judge(program, machine, name, 1)
        for name in ("socket", "mount", "memfd_create", "chmod" if machine == "x86_64" else "fchmod")
    } == {"allow"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_kills_other_architectures_and_allows_ordinary_calls(machine):
    program = seccomp.build("none", machine=machine)
    assert judge(program, machine, "", number=20, architecture=0x40000003) == "kill"
    assert judge(program, machine, "", number=63) == "allow"
    x32 = errno.ENOSYS if machine == "x86_64" else "allow"
    assert judge(program, machine, "", number=0x40000000 | 39) == x32
    assert judge(program, machine, "", number=0x40000000 | 101) == x32


@needs_confinement
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other way into the kernel is x86's")
def test_32_bit_call_kills_the_process(tmp_path):
    def call_by_int_80():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])
        box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=1)
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

    kind, number = run_forked(call_by_int_80)
    # If the kernel does not support 32-bit calls, the instruction itself is an error.
    assert (kind, number in {signal.SIGSYS, signal.SIGSEGV}) == ("signal", True)
