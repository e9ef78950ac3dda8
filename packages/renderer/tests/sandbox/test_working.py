"""The sandbox allows these actions to a process that has entered it."""

import asyncio
import fcntl
import mmap
import multiprocessing.connection
import multiprocessing.popen_fork
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox

from packages.renderer.tests.sandbox.forks import MAX_FILE_BYTES, needs_confinement, paths_for_tests, run_forked


def use_own_folder(s):
    work = Path("folder")
    (work / "deeper").mkdir(parents=True)
    (work / "a").write_text("a")
    (work / "a").rename(work / "deeper" / "b")
    os.link(work / "deeper" / "b", work / "c")
    (work / "link").symlink_to("c")
    os.mkfifo(work / "fifo")
    os.truncate(work / "c", 0)
    assert (s.room / "canary").read_text() == "canary"
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


def start_in_a_session(_):
    daemon = subprocess.Popen(["sleep", "60"], start_new_session=True)
    grouped = subprocess.run(["true"], process_group=0, check=True)
    daemon.kill()
    return daemon.wait() == -signal.SIGKILL and grouped.returncode == 0


def lock_own_files(_):
    with Path("locked").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
    with sqlite3.connect("database") as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (1)")
        return database.execute("SELECT x FROM t").fetchall() == [(1,)]


def use_temporary_files(_):
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"x")
    shutil.copytree("/usr/share/zoneinfo/Etc", "copied")
    shutil.copy2("/etc/passwd", "copied")
    return Path("copied/passwd").stat().st_size > 0


def use_descriptors(_):
    epoll, event = select.epoll(), os.eventfd(1)
    epoll.register(event, select.EPOLLIN)
    socket.socketpair()
    return [number for number, _ in epoll.poll(1)] == [event] and mmap.mmap(-1, 4096) is not None


def ask_the_system(_):
    assert os.cpu_count()
    assert os.sched_getaffinity(0)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.nice(1)
    assert time.localtime().tm_year > 2000
    for name in ("cpuinfo", "meminfo", "stat", "loadavg", "self/status", "self/maps"):
        assert Path("/proc", name).read_bytes()
    assert list(Path("/proc/self/fd").iterdir())
    assert [each.name for each in Path("/proc/self/task").iterdir()] == [str(os.getpid())]
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
    "a session and a group of its own, in name": start_in_a_session,
    "locks": lock_own_files,
    "temporary files and copies": use_temporary_files,
    "epoll, eventfd, pairs": use_descriptors,
    "the system's facts": ask_the_system,
}


@needs_confinement
@pytest.mark.parametrize("act", WORKING.values(), ids=WORKING.keys())
@pytest.mark.parametrize("sockets", ["none", "unix"])
def test_allowed_action_works(inside, stage, act, sockets):
    kind, value = inside(act, sockets=sockets)
    for left in (stage.room / "work").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    assert (kind, value in {True, None}) == ("value", True), (kind, value)


@needs_confinement
def test_python_interpreter_can_be_started(tmp_path):
    def run():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        code = "import json, ssl, sqlite3, hashlib; print(6 * 7)"
        command = [sys.executable, "-I", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        return done.stdout + done.stderr

    assert run_forked(run) == ["value", "42\n"]
