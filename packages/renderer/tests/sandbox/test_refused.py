"""The sandbox refuses these actions to a process that has entered it."""

# ruff: noqa: ARG005  (all rows have the same signature)

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox
from renderer.child.render_child.sandbox import probe, system_calls

from packages.renderer.tests.sandbox.forks import (
    MAX_FILE_BYTES,
    REFUSED,
    connect,
    libc,
    needs_confinement,
    paths_for_tests,
    raw_prctl,
    run_forked,
)


def link_and_write(source, target):
    os.link(source, target)
    Path(target).write_text("changed")


def read_through_link(stage):
    link = stage.room / "work" / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(stage.base / "canary")
    return link.read_text()


def replace_a_file(stage):
    made = stage.room / "work" / "made"
    made.write_text("forged")
    made.rename(stage.room / "canary")


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
    "replace a file of its folder": replace_a_file,
    "write a file of its folder": lambda s: (s.room / "canary").write_text(""),
    "make a file beside it": lambda s: (s.room / "new").write_text(""),
    "make a link beside it": lambda s: (s.room / "new").symlink_to("/etc/passwd"),
    "move its working folder": lambda s: (s.room / "work").rename(s.room / "moved"),
    "its mounts": lambda s: Path("/proc/self/mountinfo").read_text(),
    "its mounts by thread": lambda s: Path(f"/proc/self/task/{os.getpid()}/mountinfo").read_text(),
    "the network's connections": lambda s: Path("/proc/self/net/tcp").read_text(),
    "the network by thread": lambda s: Path(f"/proc/self/task/{os.getpid()}/net/unix").read_text(),
    "its own memory as a file": lambda s: Path("/proc/self/mem").open("rb").close(),
    "a lease on the input": lambda s: fcntl.fcntl(
        os.open(s.input / "canary", os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK
    ),
    "signals about the input": lambda s: fcntl.fcntl(os.open(s.input, os.O_RDONLY), fcntl.F_NOTIFY, 1),
    "signal its group": lambda s: os.killpg(os.getpgid(0), 0),
    "signal everybody": lambda s: os.kill(-1, 0),
    "send a descriptor": lambda s: socket.send_fds(socket.socketpair()[0], [b"x"], [0]),
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
def test_forbidden_action_is_refused(inside, act):
    kind, code = inside(act)
    assert (kind, code in REFUSED) == ("errno", True), (kind, code)


@needs_confinement
@pytest.mark.parametrize("source", ["canary", "input/canary"])
def test_file_outside_cannot_be_hard_linked_into_the_room(inside, source):
    kind, code = inside(lambda s: link_and_write(s.base / source, s.room / "work" / "linked"))
    assert (kind, code in {*REFUSED, errno.EXDEV}) == ("errno", True), (kind, code)


@needs_confinement
def test_refused_calls_return_the_errors_in_the_table(inside):
    machine = system_calls.COLUMNS[platform.machine()]
    expected = {
        name: answer
        for table, answer in system_calls.ANSWERS
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
def test_file_modes_owners_and_times_cannot_be_changed(inside, stage):
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
def test_affinity_and_scheduler_of_other_processes_cannot_be_changed(inside, stage):
    def change(s):
        os.sched_setaffinity(s.victim, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(s.victim, os.SCHED_IDLE, os.sched_param(0))

    before = os.sched_getaffinity(stage.victim)
    assert inside(change) == ["value", None]
    assert os.sched_getaffinity(stage.victim) == before
    assert os.sched_getscheduler(stage.victim) == os.SCHED_OTHER


@needs_confinement
def test_resource_limits_apply_and_cannot_be_raised(inside):
    def overrun(s):
        with pytest.raises(ValueError, match="raise maximum"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 1024
        (s.room / "work" / "big").write_bytes(bytes(MAX_FILE_BYTES + 1))

    assert inside(overrun) == ["errno", errno.EFBIG]


@needs_confinement
def test_process_has_no_capabilities_and_cannot_gain_any(inside):
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
def test_root_loses_its_bounding_set_and_keeps_its_death_signal(tmp_path):
    def entered():
        raw_prctl(1, signal.SIGKILL)
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        number = ctypes.c_int()
        libc().prctl(2, ctypes.byref(number), 0, 0, 0)
        bounding = next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line)
        return [number.value, int(bounding.split()[1], 16)]

    assert run_forked(entered) == ["value", [signal.SIGKILL, 0]]


@needs_confinement
def test_child_processes_have_the_same_restrictions(inside):
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
