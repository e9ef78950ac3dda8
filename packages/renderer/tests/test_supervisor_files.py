"""A host's supervisor is found by the file that it locks, and may end at any moment."""

import fcntl
import os

import pytest
import renderer

# Higher than the highest process id in Linux (PID_MAX_LIMIT in linux/threads.h).
NOBODY = 2**22 + 1


@pytest.fixture
def host(tmp_path):
    spec = renderer.HostSpec(environment="base", interpreter=tmp_path / "python", run_dir=tmp_path, work_root=tmp_path)
    return renderer.RenderHost(spec)


@pytest.fixture
def locked(host):
    """Opens and locks a supervisor's file, before anything is written to it."""
    with host.spec.pid_path.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def test_supervisor_is_found_by_the_lock_on_its_file(host, locked):
    assert host.supervisor_pid() is None
    locked.write(f"{NOBODY}")
    locked.flush()
    assert host.supervisor_pid() == NOBODY
    locked.close()
    assert host.supervisor_pid() is None


def test_supervisor_is_found_while_it_removes_its_file(host, locked, monkeypatch):
    locked.write(f"{NOBODY}")
    locked.flush()
    lock = fcntl.flock

    def ending_meanwhile(file, operation):
        host.spec.pid_path.unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", ending_meanwhile)
    assert host.supervisor_pid() == NOBODY
    assert host.supervisor_pid() is None


def test_supervisor_that_just_ended_can_be_ended_again(host, locked, monkeypatch):
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


def test_file_of_a_killed_supervisor_is_removed(host, tmp_path):
    host.spec.pid_path.write_text(f"{NOBODY}", encoding="ascii")
    renderer.hosts_end(tmp_path)
    assert not host.spec.pid_path.exists()
