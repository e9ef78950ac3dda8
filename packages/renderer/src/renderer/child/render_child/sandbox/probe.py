"""The sandbox's self-test: what a child that has entered it can still reach on this machine."""

from __future__ import annotations

import ctypes
import errno
import functools
import json
import os
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NoReturn

from . import system_calls
from .confinement import Mode, Sandbox, SandboxError, Sockets

_MAX_FILE_BYTES: Final = 1024**2
_PTRACE_SEIZE: Final = 0x4206  # attaches without stopping the other process
_CLONE_NEWUSER: Final = 0x10000000
# Errors that mean a refusal. Any other error means that the kernel processed the call, so the way is open.
_REFUSALS: Final = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS})


def self_test(
    mode: Mode, read_paths: Sequence[str], *, sockets: Sockets = "none", timeout_s: float = 5.0
) -> tuple[str, ...]:
    """Tries to break out of a sandbox in a forked child, and returns what succeeded, sorted.

    The words are those of `Confinement.gaps`, "tcp" and "udp" for the network, and some that no kernel should need:
    home, input, other renders, processes, ptrace, namespaces, mount, io_uring.

    Raises:
        SandboxError: the sandbox could not be entered, or the child did not answer in time.
    """
    base = Path(tempfile.mkdtemp(prefix="vp-probe-"))
    try:
        with ExitStack() as stack:
            ways = _lay_out(base, stack)
            return _ask_child(lambda: _try_all(mode, read_paths, sockets, base, ways), timeout_s)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _lay_out(base: Path, stack: ExitStack) -> list[tuple[str, Callable[[], object]]]:
    """Creates canary files and returns the ways out by name; a way that is closed raises OSError."""
    for folder in ("render/work", "input", "other"):
        (base / folder).mkdir(parents=True)
    for canary in ("canary", "input/canary", "other/canary"):
        (base / canary).write_text("canary", encoding="utf-8")
    tcp = _listen(stack, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    udp = _listen(stack, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    named = _listen(stack, socket.AF_UNIX, socket.SOCK_STREAM, str(base / "socket"))
    ways: list[tuple[str, Callable[[], object]]] = [
        ("files", (base / "canary").read_bytes),
        ("files", lambda: (base / "new").write_bytes(b"")),
        ("files", lambda: (base / "render" / "new").write_bytes(b"")),
        ("files", Path("/proc/self/mountinfo").read_bytes),
        ("network", Path("/proc/self/net/unix").read_bytes),
        ("truncation", lambda: os.close(os.open(base / "input" / "canary", os.O_RDONLY | os.O_TRUNC))),
        ("truncation", lambda: os.truncate(base / "canary", 0)),
        ("input", lambda: (base / "input" / "canary").write_bytes(b"")),
        ("other renders", (base / "other" / "canary").read_bytes),
        ("other renders", lambda: os.listdir(base / "other")),  # noqa: PTH208  (read at once)
        ("tcp", lambda: _connect(socket.AF_INET, socket.SOCK_STREAM, tcp)),
        ("udp", lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, udp)),
        ("unix sockets by path", lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, named)),
    ]
    # With no known home, "~" stays unexpanded and names no folder.
    homes = {"/root", os.path.expanduser("~")} - {"/"}  # noqa: PTH111
    ways += [("home", functools.partial(os.listdir, home)) for home in homes if Path(home).is_dir()]
    if hasattr(socket, "SO_PASSCRED"):  # Linux
        abstract = _listen(stack, socket.AF_UNIX, socket.SOCK_STREAM, f"\0vizportal-{base.name}")
        ways.append(("abstract sockets", lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, abstract)))
    return [*ways, *_process_ways(os.getpid())]


def _process_ways(parent: int) -> list[tuple[str, Callable[[], object]]]:
    ways: list[tuple[str, Callable[[], object]]] = [("signals", lambda: os.kill(parent, 0))]
    if not system_calls.is_supported():
        return ways
    return [
        *ways,
        ("processes", lambda: Path(f"/proc/{parent}/environ").read_bytes()),
        ("processes", lambda: Path(f"/proc/{parent}/mem").open("rb").close()),
        ("ptrace", lambda: call("ptrace", _PTRACE_SEIZE, parent, 0, 0)),
        ("namespaces", lambda: call("unshare", _CLONE_NEWUSER)),
        ("namespaces", lambda: call("setns", -1, 0)),
        ("mount", lambda: call("mount", 0, 0, 0, 0, 0)),
        ("io_uring", lambda: call("io_uring_setup", 0, 0)),
    ]


def call(name: str, *arguments: int) -> int:
    """Makes a system call by its name, which the filter must know.

    Raises:
        OSError: the call failed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(
        ctypes.c_long(system_calls.number(name)), *(ctypes.c_long(argument) for argument in arguments)
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)


def _listen(stack: ExitStack, family: int, kind: int, address: tuple[str, int] | str) -> tuple[str, int] | str:
    listener = stack.enter_context(socket.socket(family, kind))
    listener.bind(address)
    if kind == socket.SOCK_STREAM:
        listener.listen()
    return listener.getsockname() if family == socket.AF_INET else address


def _connect(family: int, kind: int, address: tuple[str, int] | str) -> None:
    with socket.socket(family, kind) as client:
        client.settimeout(1)
        client.connect(address)
        client.send(b"canary")


def _try_all(
    mode: Mode,
    read_paths: Sequence[str],
    sockets: Sockets,
    base: Path,
    ways: Sequence[tuple[str, Callable[[], object]]],
) -> list[str]:
    sandbox = Sandbox.prepare(mode=mode, read_paths=read_paths)
    sandbox.enter(
        readable=[str(base / "render"), str(base / "input")],
        writable=[str(base / "render" / "work")],
        sockets=sockets,
        max_file_bytes=_MAX_FILE_BYTES,
    )
    (base / "render" / "work" / "own").write_bytes(b"own")
    (base / "input" / "canary").read_bytes()
    return sorted({word for word, way in ways if _is_open(way)})


def _is_open(way: Callable[[], object]) -> bool:
    try:
        way()
    except OSError as error:
        return error.errno not in _REFUSALS
    return True


def _ask_child(work: Callable[[], list[str]], timeout_s: float) -> tuple[str, ...]:
    readable, writable = os.pipe()
    pid = os.fork()
    if not pid:
        _answer(writable, work)
    os.close(writable)
    try:
        said = _read_all(readable, time.monotonic() + timeout_s)
    finally:
        os.close(readable)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if not said:
        raise SandboxError("The sandbox's test of itself gave no answer.")
    answer = json.loads(said)
    if isinstance(answer, str):
        raise SandboxError(answer)
    return tuple(answer)


def _answer(writable: int, work: Callable[[], list[str]]) -> NoReturn:
    # Whatever happens, a copy of the host must not continue.
    try:
        answer: list[str] | str = work()
    except Exception as error:  # noqa: BLE001  (the host raises it)
        answer = f"The sandbox failed its own test: {error}"
    finally:
        with suppress(BaseException):
            os.write(writable, json.dumps(answer).encode())
        os._exit(0)


def _read_all(readable: int, deadline: float) -> bytes:
    said = b""
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([readable], [], [], left_s)[0]:
            return b""
        part = os.read(readable, 4096)
        if not part:
            return said
        said += part
