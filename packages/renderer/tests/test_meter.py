"""The meter measures renders correctly, blocks nobody, and holds none of the host's descriptors."""

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
    """Starts a process with 50 MB of memory and 5 MB in an unnamed file."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"there\n"
        yield process
        process.kill()


def answer(meter):
    assert select.select([meter.socket], [], [], 60)[0]
    [found] = meter.read()
    return found


def test_memory_and_disk_of_a_process_group_are_measured(meter, holder, tmp_path):
    (tmp_path / "named").write_bytes(bytes(3 * MEGABYTE))
    request = meter.ask(holder.pid, [holder.pid], str(tmp_path), most_files=10)
    found = answer(meter)
    assert (found.leader, found.request, found.files) == (holder.pid, request, 1)
    assert 50 * MEGABYTE < found.memory_bytes < 80 * MEGABYTE
    assert 8 * MEGABYTE <= found.disk_bytes < 9 * MEGABYTE
    assert 0 < found.cost_s < 5


def test_stopped_meter_blocks_nobody(meter, tmp_path):
    os.kill(meter.pid, signal.SIGSTOP)
    first = meter.ask(os.getpid(), [os.getpid()], str(tmp_path), most_files=10)
    assert first
    assert meter.read() == []
    # When the socket is full, the caller is told so and does not wait.
    wait_until(lambda: meter.ask(os.getpid(), range(9999), str(tmp_path), most_files=10) == 0, 60, "a full socket")
    os.kill(meter.pid, signal.SIGCONT)
    wait_until(lambda: any(found.request == first for found in meter.read()), 60, "the first answer")


def test_killed_meter_is_replaced_and_its_requests_are_lost(meter, tmp_path):
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


def test_failed_measurement_is_reported_as_lost(meter, tmp_path):
    # A path cannot contain NUL.
    first = meter.ask(os.getpid(), [os.getpid()], f"{tmp_path}\0", most_files=10)
    assert select.select([meter.socket], [], [], 60)[0]
    failed = meter.pid
    assert meter.read() == []
    assert meter.lost == first
    os.waitpid(failed, 0)
    second = meter.ask(os.getpid(), [os.getpid()], str(tmp_path), most_files=10)
    assert answer(meter).request == second


def test_meter_holds_no_descriptors_of_its_parent():
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
        # The descriptor may have been closed after the folder was listed.
        with contextlib.suppress(FileNotFoundError):
            found += [str(each.readlink())] if int(each.name) > 2 else []
    return found
