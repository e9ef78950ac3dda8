"""What measures renders: right, beside a reader that waits, and without holding anything of the host's."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from renderer.child.render_child.host.meter import Meter

from tests.waiting import wait_until

MEGABYTE = 1024**2
HOLD = """
import os, sys, tempfile
block = bytearray(os.urandom(1024) * 1024 * 50)
file = tempfile.TemporaryFile(dir=sys.argv[1])
file.write(bytes(5 * 1024**2))
file.flush()
print("there", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def meter():
    found = Meter()
    yield found
    found.socket.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(found.pid, 0)


@pytest.fixture
def holder(tmp_path):
    """A process with 50 MB of memory and 5 MB of disk without a name."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"there\n"
        yield process
        process.kill()


def answer(meter):
    assert select.select([meter.socket], [], [], 60)[0]
    [found] = meter.read()
    return found


def test_memory_and_disk_of_a_group_are_measured(meter, holder, tmp_path):
    (tmp_path / "named").write_bytes(bytes(3 * MEGABYTE))
    request = meter.ask(holder.pid, [holder.pid], str(tmp_path), most_files=10)
    found = answer(meter)
    assert (found.leader, found.request, found.files) == (holder.pid, request, 1)
    assert 50 * MEGABYTE < found.memory_bytes < 80 * MEGABYTE
    assert 8 * MEGABYTE <= found.disk_bytes < 9 * MEGABYTE
    assert 0 < found.cost_s < 5


def test_nobody_waits_for_the_process_that_measures(meter, tmp_path):
    os.kill(meter.pid, signal.SIGSTOP)
    first = meter.ask(os.getpid(), [os.getpid()], str(tmp_path), most_files=10)
    assert first
    assert meter.read() == []
    # It takes no more requests than fit between the two, and the caller is told so instead of waiting.
    wait_until(lambda: meter.ask(os.getpid(), range(9999), str(tmp_path), most_files=10) == 0, 60, "a full socket")
    os.kill(meter.pid, signal.SIGCONT)
    wait_until(lambda: any(found.request == first for found in meter.read()), 60, "the first answer")


def test_one_that_was_killed_is_replaced_and_what_it_was_asked_for_is_lost(meter, tmp_path):
    os.kill(meter.pid, signal.SIGSTOP)
    first, old = meter.ask(os.getpid(), [], str(tmp_path), most_files=10), meter.pid
    assert meter.lost < first
    os.kill(old, signal.SIGKILL)
    os.waitpid(old, 0)
    assert meter.read() == []
    assert meter.pid != old
    assert meter.lost == first
    second = meter.ask(os.getpid(), [], str(tmp_path), most_files=10)
    assert answer(meter).request == second


def test_a_measurement_that_fails_is_not_waited_for(meter, tmp_path):
    # No path has a NUL in it.
    first = meter.ask(os.getpid(), [os.getpid()], f"{tmp_path}\0", most_files=10)
    assert select.select([meter.socket], [], [], 60)[0]
    failed = meter.pid
    assert meter.read() == []
    assert meter.lost == first
    os.waitpid(failed, 0)
    second = meter.ask(os.getpid(), [os.getpid()], str(tmp_path), most_files=10)
    assert answer(meter).request == second


def test_it_holds_nothing_of_the_process_that_it_belongs_to():
    with tempfile.TemporaryFile() as file:
        assert file.fileno() > 2
        meter = Meter()
        wait_until(lambda: len(opened(meter.pid)) == 1, 60, "its descriptors to be closed")
        assert opened(meter.pid)[0].startswith("socket:")
        meter.socket.close()
        # It ends when the host's end is closed.
        os.waitpid(meter.pid, 0)


def opened(pid):
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed since the folder was listed.
        with contextlib.suppress(FileNotFoundError):
            found += [str(each.readlink())] if int(each.name) > 2 else []
    return found
