"""Containment keeps a render's processes together. A mechanism is tried with an attack, and rejected if it fails."""

import errno
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from renderer.child.render_child.host import cgroups, containment, fork_pool, priority, processes
from renderer.child.render_child.sandbox import confinement

from packages.renderer.tests.sandbox.forks import NOBODY, needs_confinement, run_forked
from tests.waiting import wait_until

pytestmark = [needs_confinement, pytest.mark.slow]


def as_user(uid, act):
    """Runs `act` in a forked child as another user."""

    def run():
        processes.become_subreaper()
        if uid != os.getuid():
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        return act()

    if uid != os.getuid() and os.getuid():
        pytest.skip("only root can become another user")
    return run_forked(run, timeout_s=60)


# Use a new interpreter, as a host does: a process that used gRPC has threads, and so do its forked children.
_CHOOSE = """
import json, os, sys
from renderer.child.render_child.host import containment, processes
uid, mechanism, is_confined = json.loads(sys.argv[1])
processes.become_subreaper()
if uid != os.getuid():
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
print(containment.choose(mechanism, None, is_confined=is_confined).mechanism)
"""


def chosen(uid, mechanism, *, is_confined):
    """Returns the mechanism that a new process of this user chooses."""
    if uid != os.getuid() and os.getuid():
        pytest.skip("only root can become another user")
    call = [sys.executable, "-c", _CHOOSE, json.dumps([uid, mechanism, is_confined])]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("uid", [os.getuid(), NOBODY], ids=["same user", "nobody"])
@pytest.mark.parametrize("is_confined", [True, False], ids=["landlock", "none"])
def test_auto_finds_a_mechanism_for_every_user(uid, is_confined):
    assert chosen(uid, "auto", is_confined=is_confined) in {"namespace", "group"}


@pytest.mark.parametrize("uid", [os.getuid(), NOBODY], ids=["same user", "nobody"])
@pytest.mark.parametrize("mechanism", ["group", "threads"])
def test_unprivileged_mechanisms_work_for_every_user(uid, mechanism):
    assert chosen(uid, mechanism, is_confined=True) == mechanism


def test_mechanism_that_lets_processes_escape_is_rejected(monkeypatch):
    # Without the filter, a process can start its own session, and a signal to the group does not reach it.
    monkeypatch.setattr(confinement, "has_seccomp", lambda: False)
    assert as_user(os.getuid(), lambda: containment.choose("auto", None, is_confined=False).mechanism)[1] in {
        "namespace",
        "none",
    }

    def prove():
        return containment.prove(containment.Containment("none", None), is_confined=False)

    assert as_user(os.getuid(), prove) == ["value", False]


def test_unavailable_mechanism_is_an_error():
    assert as_user(os.getuid(), lambda: containment.choose("cgroup", None, is_confined=True))[0] == "errno"


def chain(length, say):
    """Forks and exits `length` times. Every process of the chain holds the writing end of a pipe."""
    for _ in range(length):
        if os.fork():
            os._exit(0)
    os.write(say, b"end")
    time.sleep(60)


@pytest.mark.parametrize("mechanism", ["namespace", "group"])
@pytest.mark.parametrize("length", [10, 100_000])
def test_fork_chain_is_gone_when_its_end_is_reported(mechanism, length):
    def run():
        if mechanism == "namespace" and containment.choose("auto", None, is_confined=True).mechanism != "namespace":
            return "no namespaces"
        found = containment.Containment(mechanism, None)
        left = 0
        for _ in range(10):
            readable, writable = os.pipe()

            def attack(writable=writable):
                box = confinement.Sandbox.prepare(mode="landlock", read_paths=["/proc/self/task"])
                box.enter(readable=[], writable=[], sockets="none", max_file_bytes=0)
                os.write(writable, b"start")
                chain(length, writable)

            render = found.fork(attack)
            os.close(writable)
            os.read(readable, 5)
            reaped = set()
            render.end()
            while not render.are_gone(reaped.__contains__):
                reaped.update(processes.reap())
            # End of file means that no process holds the other end.
            while select.select([readable], [], [], 0)[0] and os.read(readable, 100):
                continue
            left += not select.select([readable], [], [], 0)[0]
            os.close(readable)
        return left

    found = as_user(os.getuid(), run)
    if found == ["value", "no namespaces"]:
        pytest.skip("this machine lets nobody make PID namespaces")
    assert found == ["value", 0]


def test_control_group_counts_memory_that_belongs_to_no_process():
    hierarchy = cgroups.find()
    if hierarchy is None or "memory" not in hierarchy.folders:
        pytest.skip("no control groups can be made here")
    own = hierarchy.below(f"vizportal-test-{os.getpid()}")
    group = cgroups.Group(own, "render")
    group.limit(tasks=10, memory_bytes=64 * 1024**2)

    def fill():
        group.join()
        memory = os.memfd_create("hog")
        while True:
            os.write(memory, bytes(1024**2))

    def fork():
        group.join()
        for _ in range(20):
            if not os.fork():
                time.sleep(60)

    try:
        assert run_forked(fill)[0] == "signal"
        assert group.ran_out_of_memory()
        assert not group.refused_tasks()
        render = containment.Containment("group", None).fork(fork)
        wait_until(group.refused_tasks, 20, "the refusal")
        assert not group.remove()
        processes.wait_for_group(render.leader, 10)
    finally:
        assert group.remove()
        assert own.remove()
    assert not any(Path(folder).exists() for folder in own.folders.values())


def test_failed_fork_is_retried():
    """A host survives while the system temporarily refuses to start processes."""

    class Failing:
        hierarchy, mechanism, fails = None, "group", True

        def fork(self, run_child):
            if self.fails:
                raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
            return containment.Containment("group", None).fork(run_child)

    def run():
        failing = Failing()
        pool = fork_pool.ForkPool(failing, lambda _control, _results: time.sleep(60), idle=1)
        pool.refill([])
        waits = pool.refill_in_s
        with pytest.raises(OSError, match="unavailable"):
            pool.take([])
        failing.fails = False
        child = pool.take([])
        pool.end_all()
        return [waits > 0, child.exit_code]

    assert as_user(os.getuid(), run) == ["value", [True, -9]]


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group by session")
def test_priority_of_every_session_is_lowered_despite_rate_limit():
    def run():
        commands = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(3)]
        try:
            for each in commands:
                wait_until(lambda pid=each.pid: priority.lower(pid), 60, "its priority")
            return [Path(f"/proc/{each.pid}/autogroup").read_text().split()[-1] for each in commands]
        finally:
            for each in commands:
                each.kill()
                each.wait()

    assert as_user(NOBODY, run) == ["value", ["15", "15", "15"]]
