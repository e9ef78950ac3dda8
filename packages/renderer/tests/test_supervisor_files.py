"""Finding the supervisor of a host by the file that it locks: it may end at any moment in between."""

import fcntl
import os

import pytest
import renderer

# Above the highest process id that Linux gives out (PID_MAX_LIMIT in linux/threads.h).
NOBODY = 2**22 + 1


@pytest.fixture
def host(tmp_path):
    spec = renderer.HostSpec(environment="base", interpreter=tmp_path / "python", run_dir=tmp_path, work_root=tmp_path)
    return renderer.RenderHost(spec)


@pytest.fixture
def locked(host):
    """The file of a supervisor, as it locks it before anything is written."""
    with host.spec.pid_path.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def test_a_supervisor_is_known_by_the_lock_on_its_file(host, locked):
    assert host.supervisor_pid() is None
    locked.write(f"{NOBODY}")
    locked.flush()
    assert host.supervisor_pid() == NOBODY
    locked.close()
    assert host.supervisor_pid() is None


def test_a_supervisor_that_removes_its_file_while_it_is_read_is_still_known(host, locked, monkeypatch):
    locked.write(f"{NOBODY}")
    locked.flush()
    lock = fcntl.flock

    def ending_meanwhile(file, operation):
        host.spec.pid_path.unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", ending_meanwhile)
    assert host.supervisor_pid() == NOBODY
    assert host.supervisor_pid() is None


def test_a_supervisor_that_has_just_ended_can_be_ended(host, locked, monkeypatch):
    asked = []
    kill = os.kill

    def with_its_file(pid, number):
        asked.append(pid)
        host.spec.pid_path.unlink(missing_ok=True)
        kill(pid, number)

    monkeypatch.setattr(os, "kill", with_its_file)
    locked.write(f"{NOBODY}")
    locked.flush()
    host.end()
    assert asked == [NOBODY]


def test_the_file_of_a_supervisor_that_was_killed_is_removed(host, tmp_path):
    host.spec.pid_path.write_text(f"{NOBODY}", encoding="ascii")
    renderer.hosts_end(tmp_path)
    assert not host.spec.pid_path.exists()
