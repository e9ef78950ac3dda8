"""What a process that has entered the sandbox can do no longer, and what it still can; each row in a forked child."""

# ruff: noqa: ARG005  (the rows are called alike)

import asyncio
import contextlib
import ctypes
import errno
import json
import mmap
import multiprocessing.connection
import multiprocessing.popen_fork
import os
import platform
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.visualizations.rendering.child.render_child.sandbox import confinement as sandbox
from apps.visualizations.rendering.child.render_child.sandbox import landlock, probe, seccomp
from vizportal.settings import BASE_DIR

CHILD = BASE_DIR / "apps" / "visualizations" / "rendering" / "child"
NOBODY = 65534
MAX_FILE_BYTES = 4 * 1024**2
IS_CONFINED = sandbox.describe("landlock").mode == "landlock"
needs_confinement = pytest.mark.skipif(not IS_CONFINED, reason="this kernel has no Landlock or no seccomp")
REFUSED = {errno.EACCES, errno.EPERM}


def run_forked(act, timeout_s=30):
    """Runs `act` in a forked child; returns ["value", x], ["errno", n], ["error", text] or ["signal", n]."""
    readable, writable = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside a test runner's threads
        pid = os.fork()
    if not pid:
        # Whatever happens, nothing may go on in a copy of the test runner.
        try:
            try:
                answer = ["value", act()]
            except OSError as error:
                answer = ["errno", error.errno]
            except BaseException as error:  # noqa: BLE001
                answer = ["error", repr(error)]
            os.write(writable, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writable)
    try:
        said = b""
        while select.select([readable], [], [], timeout_s)[0]:
            part = os.read(readable, 65536)
            said += part
            if not part:
                break
    finally:
        os.close(readable)
        if not said:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return json.loads(said) if said else ["signal", os.WTERMSIG(status)]


def paths_for_tests():
    """As in the host, which has no project folder on its path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [each for each in sys.path if not BASE_DIR.is_relative_to(each or BASE_DIR)])
        return sandbox.read_paths()


def make_stage(uid):
    """A folder with a room for the render, its input, and what it must not reach, all owned by its own user."""
    base = Path(tempfile.mkdtemp(prefix="vp-stage-"))
    for folder in ("room/work", "input", "other"):
        (base / folder).mkdir(parents=True)
    for canary in ("canary", "input/canary", "other/canary"):
        (base / canary).write_text("canary")
    for path in (base, *base.rglob("*")):
        os.chown(path, uid, uid)
    return base


@pytest.fixture(scope="module", params=["same user", "nobody"])
def stage(request):
    uid = NOBODY if request.param == "nobody" else os.getuid()
    if request.param == "nobody" and os.getuid():
        pytest.skip("only root can become another user")
    base = make_stage(uid)
    # Of the same user, so that nothing but the sandbox protects it.
    user = {"user": uid, "group": uid, "extra_groups": []} if uid != os.getuid() else {}
    victim = subprocess.Popen(["sleep", "600"], **user)
    named, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    named.bind(str(base / "socket"))
    os.chown(base / "socket", uid, uid)
    abstract.bind(f"\0{base.name}")
    for listener in (named, abstract):
        listener.listen(64)
    yield SimpleNamespace(
        base=base,
        uid=uid,
        room=base / "room",
        input=base / "input",
        victim=victim.pid,
        named=str(base / "socket"),
        abstract=f"\0{base.name}",
    )
    victim.kill()
    victim.wait()
    named.close()
    abstract.close()
    shutil.rmtree(base)


def enter_stage(stage, sockets, read_only):
    if stage.uid != os.getuid():
        os.setgroups([])
        os.setgid(stage.uid)
        os.setuid(stage.uid)
    box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
    box.enter(str(stage.room), read_only=read_only, sockets=sockets, max_file_bytes=MAX_FILE_BYTES)
    os.chdir(stage.room / "work")
    os.environ.update(TMPDIR=str(stage.room / "work"), HOME=str(stage.room))
    tempfile.tempdir = None


@pytest.fixture
def inside(stage):
    """Runs `act(stage)` in a child that has entered the sandbox."""

    def inside(act, *, sockets="none", read_only=None):
        def entered():
            try:
                enter_stage(stage, sockets, [str(stage.input)] if read_only is None else read_only)
            except OSError as error:
                raise AssertionError("this is no refusal of the sandbox") from error
            return act(stage)

        return run_forked(entered)

    return inside


def libc():
    return ctypes.CDLL(None, use_errno=True)


def raw_prctl(option, value):
    if libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")


def connect(address, family=socket.AF_UNIX):
    with socket.socket(family) as client:
        client.connect(address)


def link_and_write(source, target):
    os.link(source, target)
    Path(target).write_text("changed")


def read_through_link(stage):
    link = stage.room / "work" / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(stage.base / "canary")
    return link.read_text()


def empty(path):
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))


def clone_into_a_namespace(_):
    if not probe.call("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0):
        os._exit(0)


FORBIDDEN = {
    "read a file outside": lambda s: (s.base / "canary").read_text(),
    "read through a link": read_through_link,
    "write a file outside": lambda s: (s.base / "canary").write_text(""),
    "make a file outside": lambda s: (s.base / "new").write_text(""),
    "make a folder outside": lambda s: (s.base / "folder").mkdir(),
    "remove a file outside": lambda s: (s.base / "canary").unlink(),
    "empty a file outside": lambda s: os.truncate(s.base / "canary", 0),
    "move a file in": lambda s: (s.base / "canary").rename(s.room / "work" / "moved"),
    "list another render": lambda s: list((s.base / "other").iterdir()),
    "read another render": lambda s: (s.base / "other" / "canary").read_text(),
    "write the input": lambda s: (s.input / "canary").write_text(""),
    "empty the input by reading": lambda s: empty(s.input / "canary"),
    "add to the input": lambda s: (s.input / "new").write_text(""),
    "remove from the input": lambda s: (s.input / "canary").unlink(),
    "make a device": lambda s: os.mknod(s.room / "work" / "device", 0o600 | 0o020000, os.makedev(1, 3)),
    "list the home": lambda s: list(Path("/root").iterdir()),
    "read secrets of the system": lambda s: Path("/etc/shadow").read_text(),
    "shared memory": lambda s: Path(f"/dev/shm/{s.base.name}").write_text(""),
    "watch another render": lambda s: probe.call("inotify_init1", 0),
    "signal another process": lambda s: os.kill(s.victim, 0),
    "read another's environment": lambda s: Path(f"/proc/{s.victim}/environ").read_bytes(),
    "read another's command line": lambda s: Path(f"/proc/{s.victim}/cmdline").read_bytes(),
    "open another's memory": lambda s: Path(f"/proc/{s.victim}/mem").open("rb").close(),
    "trace another process": lambda s: probe.call("ptrace", 0x4206, s.victim, 0, 0),
    "limits of another": lambda s: resource.prlimit(s.victim, resource.RLIMIT_NOFILE),
    "priority of another": lambda s: os.setpriority(os.PRIO_PROCESS, s.victim, 0),
    "priority of the user": lambda s: os.setpriority(os.PRIO_USER, 0, 0),
    "become another user": lambda s: os.setuid(1234),
    "clone into a user namespace": clone_into_a_namespace,
    "unshare": lambda s: probe.call("unshare", 0x10000000),
    "mount": lambda s: probe.call("mount", 0, 0, 0, 0, 0),
    "personality": lambda s: probe.call("personality", 0x0040000),
    "outlive the host": lambda s: raw_prctl(1, 0),
    "let itself be traced": lambda s: raw_prctl(4, 1),
    "become a subreaper": lambda s: raw_prctl(36, 1),
    "choose a tracer": lambda s: raw_prctl(0x59616D61, -1 & (2**64 - 1)),
    "type into a terminal": lambda s: probe.call("ioctl", os.pipe()[0], 0x5412, 0),
    "the same, upper half filled": lambda s: probe.call("ioctl", os.pipe()[0], 0x5412 | 1 << 32, 0),
    "tcp": lambda s: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "udp": lambda s: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "tcp over ipv6": lambda s: socket.socket(socket.AF_INET6, socket.SOCK_STREAM),
    "raw packets": lambda s: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "netlink": lambda s: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "unix socket by path": lambda s: connect(s.named),
    "abstract unix socket": lambda s: connect(s.abstract),
    "a pair that can be turned elsewhere": lambda s: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
}


@needs_confinement
@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_is_refused(inside, act):
    kind, code = inside(act)
    assert (kind, code in REFUSED) == ("errno", True), (kind, code)


@needs_confinement
@pytest.mark.parametrize("source", ["canary", "input/canary"])
def test_no_hard_link_carries_a_file_into_the_room(inside, source):
    kind, code = inside(lambda s: link_and_write(s.base / source, s.room / "work" / "linked"))
    assert (kind, code in {*REFUSED, errno.EXDEV}) == ("errno", True), (kind, code)


@needs_confinement
def test_refused_calls_answer_as_the_table_says(inside):
    machine = seccomp._COLUMNS[platform.machine()]
    expected = {
        name: answer
        for table, answer in seccomp._ANSWERS
        for name, numbers in table.items()
        if numbers[machine] is not None
    }

    def try_all(_):
        found = {}
        for name in expected:
            try:
                probe.call(name, -1, -1, -1, -1, -1, -1)
                found[name] = 0
            except OSError as error:
                found[name] = error.errno
        return found

    assert inside(try_all) == ["value", expected]


@needs_confinement
def test_modes_owners_and_times_stay_as_they_are(inside, stage):
    def change(s):
        for path in (s.base / "canary", s.room / "work"):
            path.chmod(0)
            os.utime(path, (0, 0))
            os.chown(path, 4321, 4321)

    before = [(stage.base / "canary").stat(), (stage.room / "work").stat()]
    assert inside(change) == ["value", None]
    after = [(stage.base / "canary").stat(), (stage.room / "work").stat()]
    assert [(each.st_mode, each.st_uid, each.st_mtime) for each in after] == [
        (each.st_mode, each.st_uid, each.st_mtime) for each in before
    ]


@needs_confinement
def test_anothers_processors_and_scheduler_stay_as_they_are(inside, stage):
    def change(s):
        os.sched_setaffinity(s.victim, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(s.victim, os.SCHED_IDLE, os.sched_param(0))

    before = os.sched_getaffinity(stage.victim)
    assert inside(change) == ["value", None]
    assert os.sched_getaffinity(stage.victim) == before
    assert os.sched_getscheduler(stage.victim) == os.SCHED_OTHER


@needs_confinement
def test_limits_hold_and_cannot_be_raised(inside):
    def overrun(s):
        with pytest.raises(ValueError, match="raise maximum"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 1024
        (s.room / "work" / "big").write_bytes(bytes(MAX_FILE_BYTES + 1))

    assert inside(overrun) == ["errno", errno.EFBIG]


@needs_confinement
def test_no_capability_is_left_and_none_can_be_gained(inside):
    def status(_):
        lines = Path("/proc/self/status").read_text().splitlines()
        return dict(line.split(":\t") for line in lines if line.startswith(("Cap", "NoNewPrivs", "Seccomp:")))

    kind, found = inside(status)
    assert kind == "value", found
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    held = {name: int(found[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
    assert not any(held.values())


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a bounding set to lose")
@needs_confinement
def test_root_drops_its_bounding_set_and_keeps_its_death_signal(tmp_path):
    def entered():
        raw_prctl(1, signal.SIGKILL)
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        number = ctypes.c_int()
        libc().prctl(2, ctypes.byref(number), 0, 0, 0)
        bounding = next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line)
        return [number.value, int(bounding.split()[1], 16)]

    assert run_forked(entered) == ["value", [signal.SIGKILL, 0]]


@needs_confinement
def test_what_it_starts_has_the_same_limits(inside):
    script = """
        cat ../../canary; touch ../../new; echo changed > ../../input/canary; kill -0 "$1"
        cat /proc/$1/environ; exec 3<>/dev/tcp/127.0.0.1/9; ulimit -f unlimited
    """

    def run(s):
        return subprocess.run(
            ["bash", "-c", script, "bash", str(s.victim)], capture_output=True, text=True, check=False
        ).stderr

    kind, errors = inside(run)
    assert kind == "value", errors
    assert errors.lower().count("permi") == 7, errors


# --- What must go on working --------------------------------------------------------------------------------------


def use_own_folder(s):
    work = Path("folder")
    (work / "deeper").mkdir(parents=True)
    (work / "a").write_text("a")
    (work / "a").rename(work / "deeper" / "b")
    os.link(work / "deeper" / "b", work / "c")
    (work / "link").symlink_to("c")
    os.mkfifo(work / "fifo")
    os.truncate(work / "c", 0)
    assert (s.room / "top").write_text("x") == 1
    shutil.rmtree(work)


def run_own_script(_):
    with os.fdopen(os.open("script", os.O_WRONLY | os.O_CREAT, 0o700), "w") as file:
        file.write("#!/bin/sh\necho ran\n")
    return subprocess.run(["./script"], capture_output=True, text=True, check=True).stdout == "ran\n"


def run_bash(_):
    command = "cat <(echo one) | tr a-z A-Z; date > /dev/null"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout == "ONE\n"


def run_loop(_):
    async def work():
        process = await asyncio.create_subprocess_exec("echo", "x", stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        return said + await asyncio.to_thread(lambda: b"y")

    return asyncio.run(work()) == b"x\ny"


def use_threads(_):
    found = []
    threads = [threading.Thread(target=found.append, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found) == list(range(8))


def fork_and_wait(_):
    pid = os.fork()
    if not pid:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def use_multiprocessing(_):
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=theirs.send, args=("said",))
    process.start()
    process.join()
    return ours.recv() == "said"


def use_signals(_):
    found = []
    signal.signal(signal.SIGUSR1, lambda *_: found.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    sleeper = subprocess.Popen(["sleep", "60"])
    sleeper.terminate()
    return found == [1] and sleeper.wait() == -signal.SIGTERM


def use_temporary_files(_):
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"x")
    shutil.copytree("/usr/share/zoneinfo/Etc", "copied")
    shutil.copy2("/etc/passwd", "copied")
    return Path("copied/passwd").stat().st_size > 0


def use_descriptors(_):
    epoll, event, memory = select.epoll(), os.eventfd(1), os.memfd_create("m")
    epoll.register(event, select.EPOLLIN)
    os.write(memory, b"x")
    socket.socketpair()
    return [number for number, _ in epoll.poll(1)] == [event] and mmap.mmap(-1, 4096) is not None


def ask_the_system(_):
    assert os.cpu_count()
    assert os.sched_getaffinity(0)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.nice(1)
    assert time.localtime().tm_year > 2000
    for name in ("cpuinfo", "meminfo", "stat", "loadavg", "self/status", "self/maps", "thread-self/stat"):
        assert Path("/proc", name).read_bytes()
    assert os.urandom(4)
    with Path("/dev/urandom").open("rb") as file:
        assert file.read(4)
    with Path("/dev/null").open("w") as file:
        file.write("x")
    with pytest.raises(OSError, match="pace"):
        Path("/dev/full").write_text("x")
    return Path("~").expanduser().exists()


WORKING = {
    "its own folder": use_own_folder,
    "its input": lambda s: (
        (s.input / "canary").read_text() == "canary" and [each.name for each in s.input.iterdir()] == ["canary"]
    ),
    "a program of its own": run_own_script,
    "bash": run_bash,
    "asyncio": run_loop,
    "threads": use_threads,
    "fork": fork_and_wait,
    "multiprocessing by pipe": use_multiprocessing,
    "signals": use_signals,
    "temporary files and copies": use_temporary_files,
    "epoll, eventfd, memfd, pairs": use_descriptors,
    "the system's facts": ask_the_system,
}


@needs_confinement
@pytest.mark.parametrize("act", WORKING.values(), ids=WORKING.keys())
@pytest.mark.parametrize("sockets", ["none", "unix"])
def test_goes_on_working(inside, stage, act, sockets):
    kind, value = inside(act, sockets=sockets)
    for left in (stage.room / "work").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    assert (kind, value in {True, None}) == ("value", True), (kind, value)


@needs_confinement
def test_an_interpreter_can_be_started(tmp_path):
    def run():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        code = "import json, ssl, sqlite3, hashlib; print(6 * 7)"
        command = [sys.executable, "-I", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        return done.stdout + done.stderr

    assert run_forked(run) == ["value", "42\n"]


# --- Sockets of kernels that speak by libzmq ----------------------------------------------------------------------

UNIX_REFUSED = {
    "tcp": lambda s: socket.socket(socket.AF_INET),
    "tcp, upper half filled": lambda s: probe.call("socket", socket.AF_INET | 1 << 32, socket.SOCK_STREAM, 0),
    "udp": lambda s: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "netlink about devices": lambda s: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15),
    "another's abstract socket": lambda s: connect(s.abstract),
}


@needs_confinement
@pytest.mark.parametrize("act", UNIX_REFUSED.values(), ids=UNIX_REFUSED.keys())
def test_unix_sockets_open_no_other(inside, act):
    if act is UNIX_REFUSED["another's abstract socket"] and landlock.read_abi() < 6:
        pytest.skip("this kernel cannot")
    kind, code = inside(act, sockets="unix")
    assert (kind, code in REFUSED) == ("errno", True), (kind, code)


@needs_confinement
def test_unix_sockets_work_in_the_room(inside):
    def talk(s):
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("../talk")
        listener.listen()
        connect("../talk")
        Path("../talk").unlink()

    assert inside(talk, sockets="unix") == ["value", None]


@needs_confinement
def test_a_named_socket_outside_is_reached_just_where_the_gap_is_told(inside):
    kind, _ = inside(lambda s: connect(s.named), sockets="unix")
    assert (kind == "value") == ("unix sockets by path" in sandbox.describe("landlock", "unix").gaps)


# --- Preparing and entering ---------------------------------------------------------------------------------------


@needs_confinement
def test_an_input_inside_the_room_keeps_its_folder_free_of_new_files(stage, inside):
    inner = stage.room / "inner"
    inner.mkdir(exist_ok=True)
    (inner / "canary").write_text("canary")
    for path in (inner, inner / "canary"):
        os.chown(path, stage.uid, stage.uid)
    kept = [str(inner)]
    assert inside(lambda s: (s.room / "work" / "x").write_text("x"), read_only=kept) == ["value", 1]
    assert inside(lambda s: (inner / "canary").read_text(), read_only=kept) == ["value", "canary"]
    for path in (inner / "canary", inner / "new", stage.room / "new"):
        assert inside(lambda s, path=path: path.write_text(""), read_only=kept) == ["errno", errno.EACCES]


@needs_confinement
def test_a_sandbox_is_for_the_process_that_prepared_it(tmp_path):
    def enter_in_a_fork():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])

        def enter():
            with pytest.raises(sandbox.SandboxError, match="another process"):
                box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=1)

        return run_forked(enter)

    assert run_forked(enter_in_a_fork) == ["value", ["value", None]]


@needs_confinement
def test_a_second_thread_is_an_error(tmp_path):
    def enter():
        ended = threading.Event()
        threading.Thread(target=ended.wait, daemon=True).start()
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])
        with pytest.raises(sandbox.SandboxError, match="thread"):
            box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=1)

    assert run_forked(enter) == ["value", None]


def test_without_a_kernel_for_it_nothing_pretends(monkeypatch):
    monkeypatch.setattr(landlock, "read_abi", lambda: 0)
    assert sandbox.describe("landlock") == sandbox.Confinement(mode="none", abi=0, gaps=("files", "network", "signals"))
    with pytest.raises(sandbox.SandboxError, match="no sandbox"):
        sandbox.Sandbox.prepare(mode="landlock", read_paths=[])


def test_mode_none_sets_the_limits_alone(tmp_path):
    def enter():
        box = sandbox.Sandbox.prepare(mode="none", read_paths=[])
        box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=1000)
        socket.socket(socket.AF_INET).close()
        return resource.getrlimit(resource.RLIMIT_FSIZE)

    assert run_forked(enter) == ["value", [1000, 1000]]
    assert sandbox.describe("none").gaps == ("files", "network", "signals")


@needs_confinement
@pytest.mark.parametrize("sockets", ["none", "unix"])
def test_the_probe_finds_what_describe_tells(sockets):
    found = run_forked(lambda: probe.self_test("landlock", paths_for_tests(), sockets=sockets))
    assert found == ["value", list(sandbox.describe("landlock", sockets).gaps)]


@needs_confinement
def test_the_probe_finds_every_gap_without_a_sandbox():
    kind, found = run_forked(lambda: probe.self_test("none", []))
    assert kind == "value", found
    assert {"files", "input", "other renders", "tcp", "udp", "unix sockets by path", "abstract sockets"} <= set(found)
    assert {"signals", "processes", "ptrace", "namespaces", "truncation"} <= set(found)


# --- What may be read ---------------------------------------------------------------------------------------------


def test_read_paths_name_no_secret_and_nothing_twice():
    found = sandbox.read_paths()
    assert all(Path(path).exists() for path in found)
    assert not {"/", "/root", "/home", "/etc", "/proc", "/dev", "/dev/shm", "/etc/shadow", "/tmp"} & set(found)
    assert not any(Path(path).is_relative_to(other) for path in found for other in found if path != other)
    for needed in (sys.prefix, sys.base_prefix, "/usr/bin", "/proc/self", "/dev/null"):
        assert any(Path(needed).is_relative_to(path) for path in found), needed


def test_a_prefix_that_is_a_home_gives_its_folders_only(monkeypatch, tmp_path):
    for name in ("lib", "bin", "secrets"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path.parent)])
    found = sandbox.read_paths()
    assert {str(tmp_path / "lib"), str(tmp_path / "bin")} <= set(found)
    assert not {str(tmp_path), str(tmp_path.parent), str(tmp_path / "secrets")} & set(found)


# --- Versions of Landlock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("abi", "highest", "network", "scopes", "length"),
    [
        (1, landlock.MAKE_SYM, 0, 0, 8),
        (2, landlock.REFER, 0, 0, 8),
        (3, landlock.TRUNCATE, 0, 0, 8),
        (4, landlock.TRUNCATE, 3, 0, 16),
        (5, landlock.IOCTL_DEV, 3, 0, 16),
        (6, landlock.IOCTL_DEV, 3, 3, 24),
        (7, landlock.IOCTL_DEV, 3, 3, 24),
        (8, landlock.IOCTL_DEV, 3, 3, 24),
        (9, landlock.RESOLVE_UNIX, 3, 3, 24),
        (99, landlock.RESOLVE_UNIX, 3, 3, 24),
    ],
)
def test_no_version_is_asked_for_what_it_does_not_know(abi, highest, network, scopes, length):
    assert landlock.handled(abi) == (2 * highest - 1, network, scopes)
    assert len(landlock.pack_ruleset(abi)) == length


@needs_confinement
@pytest.mark.parametrize("abi", range(1, 8))
def test_older_versions_are_entered_too(monkeypatch, tmp_path, abi):
    if abi > landlock.read_abi():
        pytest.skip("this kernel is older")
    monkeypatch.setattr(landlock, "read_abi", lambda: abi)

    def enter():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        (tmp_path / "own").write_text("x")
        return Path("/etc/shadow").open().close()

    assert run_forked(enter) == ["errno", errno.EACCES]


@pytest.mark.parametrize(
    ("abi", "sockets", "gaps"),
    [
        (1, "none", ("truncation", "signals")),
        (5, "none", ("signals",)),
        (5, "unix", ("signals", "abstract sockets", "unix sockets by path")),
        (7, "none", ()),
        (7, "unix", ("unix sockets by path",)),
        (9, "unix", ()),
    ],
)
def test_gaps_by_version(abi, sockets, gaps):
    assert sandbox.gaps_of(abi, sockets) == gaps


# --- The filter, interpreted --------------------------------------------------------------------------------------

ALLOW, KILL = 0x7FFF0000, 0x80000000


def judge(program, machine, name, *arguments, number=None, architecture=None):
    """Runs a filter as the kernel does and returns its answer: "allow", "kill" or an errno."""
    number = seccomp.number(name, machine) if number is None else number
    words = [*arguments, *([0] * (6 - len(arguments)))]
    seen = struct.pack("<IIQ6Q", number, architecture or seccomp._ARCHITECTURES[machine], 0, *words)
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
    ],
)
def test_filter(machine, sockets, name, arguments, answer):
    assert judge(seccomp.build(sockets, machine), machine, name, *arguments) == answer


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_of_other_architectures_and_ordinary_calls(machine):
    program = seccomp.build("none", machine)
    assert judge(program, machine, "", number=20, architecture=0x40000003) == "kill"
    assert judge(program, machine, "", number=63) == "allow"
    x32 = errno.ENOSYS if machine == "x86_64" else "allow"
    assert judge(program, machine, "", number=0x40000000 | 39) == x32
    assert judge(program, machine, "", number=0x40000000 | 101) == x32


@needs_confinement
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other way into the kernel is x86's")
def test_32_bit_calls_end_the_process(tmp_path):
    def call_by_int_80():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])
        box.enter(str(tmp_path), read_only=[], sockets="none", max_file_bytes=1)
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

    kind, number = run_forked(call_by_int_80)
    # Where the kernel knows no 32-bit calls at all, the instruction itself is an error.
    assert (kind, number in {signal.SIGSYS, signal.SIGSEGV}) == ("signal", True)


# --- In an environment --------------------------------------------------------------------------------------------

ENTER = """
import os, sys
sys.path.insert(0, {child!r})
from render_child.sandbox import confinement as sandbox
os.environ.update(HOME={room!r}, TMPDIR={room!r}, MPLCONFIGDIR={room!r}, IPYTHONDIR={room!r})
os.chdir({room!r})
def enter(sockets):
    box = sandbox.Sandbox.prepare(mode="landlock", read_paths=sandbox.read_paths())
    box.enter({room!r}, read_only=[], sockets=sockets, max_file_bytes=10**8)
"""
USE_LIBRARIES = """
import io, numpy, pandas, polars, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
if {is_before}:
    pid = os.fork()
    if pid:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    enter("none")
a = numpy.random.default_rng(0).random((400, 400))
assert (a @ numpy.linalg.inv(a)).trace() > 399
pandas.DataFrame({{"a": [1, 2]}}).to_csv("a.csv")
assert pandas.read_csv("a.csv").a.sum() == 3
assert polars.read_csv("a.csv").lazy().filter(polars.col("a") > 1).collect().height == 1
plt.plot([1, 2]); plt.title("x"); plt.savefig("a.png")
try:
    open("/etc/shadow")
except PermissionError:
    print("done")
"""
RUN_KERNEL = """
enter("unix")
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
cell = nbformat.v4.new_code_cell("print(open('/etc/shadow'))")
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7"), cell])
manager = AsyncKernelManager(transport="ipc", ip="kernel")
NotebookClient(notebook, km=manager, startup_timeout=60, allow_errors=True).execute()
assert notebook.cells[0].outputs[0]["data"]["text/plain"] == "42"
print(notebook.cells[1].outputs[0]["ename"])
"""


def run_script(interpreter, directory, script, **fields):
    code = textwrap.dedent(ENTER + script).format(child=str(CHILD), room=str(directory), **fields)
    environ = {"PATH": f"{interpreter.parent}:/usr/bin:/bin"}
    command = [interpreter, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, check=False)
    return done.stdout.strip() or done.stderr[-3000:]


@needs_confinement
@pytest.mark.kernel
@pytest.mark.parametrize("is_before", [True, False], ids=["imported before", "imported inside"])
def test_libraries_work_inside(interpreter, tmp_path, is_before):
    enter = "" if is_before else 'enter("none")\n'
    assert run_script(interpreter, tmp_path, enter + USE_LIBRARIES, is_before=is_before) == "done"


@needs_confinement
@pytest.mark.kernel
def test_a_kernel_of_its_own_works_inside(interpreter, tmp_path):
    assert run_script(interpreter, tmp_path, RUN_KERNEL) == "PermissionError"
