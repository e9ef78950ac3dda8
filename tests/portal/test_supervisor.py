"""Test the supervisor of `up` with real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_until
from vizportal.up.supervisor import Service, StartError, Supervisor

WRITE_PID_AND_WAIT = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"


def service(name, path, **options):
    return Service(
        name=name, command=[sys.executable, "-c", WRITE_PID_AND_WAIT, str(path)], environ=os.environ, **options
    )


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(log_dir=tmp_path, say=lambda _: None)
    yield made
    made.stop()


def pids(path):
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_service_is_awaited_and_stopped(supervisor, tmp_path):
    mark = tmp_path / "pid"
    supervisor.start(service("one", mark, is_ready=lambda: bool(pids(mark))))
    supervisor.await_ready("one")
    assert is_alive(pids(mark)[0])
    supervisor.stop()
    assert not is_alive(pids(mark)[0])


def test_service_that_exits_at_once_is_an_error_with_its_output(supervisor):
    broken = Service(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit('no such thing')"],
        environ=os.environ,
        is_ready=lambda: False,
    )
    supervisor.start(broken)
    with pytest.raises(StartError, match="no such thing"):
        supervisor.await_ready("broken")


def test_dead_service_is_restarted_until_a_signal(tmp_path):
    program = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from tests.waiting import wait_until
from vizportal.up.supervisor import Service, Supervisor
supervisor = Supervisor(log_dir=Path({str(tmp_path)!r}), say=lambda line: print(line, flush=True))
supervisor.catch_signals()
import os
command = [sys.executable, "-c", {WRITE_PID_AND_WAIT!r}, {str(tmp_path / "pid")!r}]
supervisor.start(Service(name="one", command=command, environ=os.environ))
supervisor.watch()
supervisor.stop()
"""
    mark = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len(pids(mark)) == 1)
        os.kill(pids(mark)[0], signal.SIGKILL)
        wait_until(lambda: len(pids(mark)) == 2)
        parent.send_signal(signal.SIGINT)
        output, _ = parent.communicate(timeout=15)
        assert parent.returncode == 0
        assert "one ended (signal 9); starting it again" in output
        assert not any(map(is_alive, pids(mark)))
    finally:
        parent.kill()
        parent.wait()


def test_services_end_when_the_supervisor_is_killed(tmp_path):
    mark = tmp_path / "pid"
    program = f"""
import sys, os
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from tests.waiting import wait_until
from vizportal.up.supervisor import Service, Supervisor
supervisor = Supervisor(log_dir=Path({str(tmp_path)!r}), say=print)
command = [sys.executable, "-c", {WRITE_PID_AND_WAIT!r}, {str(mark)!r}]
supervisor.start(Service(name="one", command=command, environ=os.environ))
supervisor.watch()
"""
    parent = subprocess.Popen([sys.executable, "-c", program])
    wait_until(lambda: len(pids(mark)) == 1)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(pids(mark)[0]))


STUBBORN = """
import os, signal, sys, time
def on_term(*_):
    global asked
    asked += 1
    open(sys.argv[1], "a").write(f"term {asked}\\n")
    if asked == 2:
        open(sys.argv[1], "a").write("leaves\\n")
        sys.exit(0)
asked = 0
signal.signal(signal.SIGTERM, on_term)
open(sys.argv[1], "a").write("ready\\n")
while True:
    time.sleep(0.05)
"""


def test_busy_service_gets_a_second_sigterm_before_sigkill(supervisor, tmp_path):
    marks = [tmp_path / "one", tmp_path / "two"]
    for mark in marks:
        command = [sys.executable, "-c", STUBBORN, str(mark)]
        supervisor.start(Service(name=mark.name, command=command, environ=os.environ, group="g", stop_timeout_s=0.5))
    wait_until(lambda: all(mark.exists() and "ready" in mark.read_text() for mark in marks))
    supervisor.stop()
    assert [mark.read_text().split("\n")[-3:] for mark in marks] == [["term 2", "leaves", ""]] * 2
