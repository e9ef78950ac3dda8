"""Replaced, killed, stuck and idle render hosts refuse no render and leave nothing behind."""

import os
import signal
from pathlib import Path

import pytest
import renderer
from renderer.child.render_child.host import processes

from tests.jobs import make_job
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel


@pytest.fixture
def own_host(interpreter, tmp_path):
    """Makes a separate host for the test. It starts quickly because it imports nothing in advance."""
    made = []

    def make(**spec):
        given = {"run_dir": tmp_path / "run", "work_root": tmp_path, "idle_s": 1, **spec}
        host = renderer.RenderHost(renderer.HostSpec(environment="base", interpreter=interpreter, **given))
        made.append(host)
        return host

    yield make
    for host in made:
        host.leave()
    renderer.hosts_end(tmp_path / "run")


def render_with(host, directory, code="print(1)"):
    directory.mkdir()
    with renderer.render(
        make_job(code=code, variables={}),
        host=host,
        directory=directory,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
    ) as outcome:
        return outcome


def test_killed_host_is_restarted(host, run):
    first = host.status()["pid"]
    os.kill(first, 9)
    assert run("print(1)").state == "succeeded"
    assert host.status()["pid"] != first


def test_render_raises_host_lost_error_when_its_host_is_killed(host, tmp_path):
    directory = tmp_path / "render"
    directory.mkdir()
    with pytest.raises(renderer.HostLostError):
        renderer.render(
            make_job(code="import time; time.sleep(60)", variables={}),
            host=host,
            directory=directory,
            on_progress=lambda _: os.kill(host.read_status()["pid"], 9),
            is_cancelled=lambda: False,
        )
    host.stay()
    assert host.status()["pid"]


def test_host_is_replaced_after_max_renders_without_a_failed_render(own_host, tmp_path):
    host = own_host(max_renders=3)
    pids, number = set(), 0
    while len(pids) < 3:
        assert number < 400
        outcome = render_with(host, tmp_path / f"r{number}")
        assert outcome.state == "succeeded", outcome.message
        pids.add(host.status()["pid"])
        number += 1


def test_running_render_finishes_while_its_host_is_replaced(own_host, tmp_path):
    host = own_host(max_renders=1)
    first = host.status()["pid"]
    # This takes longer than the next host needs to start. The old host is told to stop meanwhile.
    outcome = render_with(host, tmp_path / "long", "import time\ntime.sleep(8)\nprint('end')")
    assert outcome.state == "succeeded"
    wait_until(lambda: host.status()["pid"] != first, 10, "the next host")


def test_ended_hosts_leave_no_process_and_no_files(own_host, tmp_path):
    host = own_host()
    pid = host.status()["pid"]
    renderer.hosts_end(tmp_path / "run")
    assert not Path(f"/proc/{pid}").exists()
    assert [path.suffix for path in (tmp_path / "run").iterdir() if path.suffix in {".sock", ".pid"}] == []


def test_host_and_supervisor_survive_a_full_disk(own_host, tmp_path):
    """The log and the status cannot be written, and a killed host is still replaced."""
    host = own_host()
    host.spec.run_dir.mkdir()
    for path in (host.spec.log_path, host.spec.status_path.with_suffix(".part")):
        path.symlink_to("/dev/full")
    first = host.status()["pid"]
    # This takes longer than the interval between two writes.
    assert render_with(host, tmp_path / "long", "import time; time.sleep(5)").state == "succeeded"
    assert host.status()["pid"] == first
    supervisor = host.spec.pid_path.read_text()
    os.kill(first, 9)
    assert render_with(host, tmp_path / "next").state == "succeeded"
    assert host.status()["pid"] != first
    assert host.spec.pid_path.read_text() == supervisor


def test_idle_host_ends_by_itself(own_host):
    host = own_host(idle_s=0.5)
    pid = host.status()["pid"]
    host.leave()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10, "the end of the host")


def test_renders_continue_without_a_working_meter(own_host, tmp_path):
    host = own_host()
    assert render_with(host, tmp_path / "first").state == "succeeded"
    pid = host.status()["pid"]
    # The host's other children lead sessions of their own.
    [meter] = [each for each in processes.descendants(pid) if os.getsid(each) == os.getsid(pid)]
    os.kill(meter, signal.SIGSTOP)
    assert render_with(host, tmp_path / "second", "import time; time.sleep(0.5)").state == "succeeded"
    os.kill(meter, signal.SIGKILL)
    assert render_with(host, tmp_path / "third", "import time; time.sleep(0.5)").state == "succeeded"
    assert host.status()["pid"] == pid


def test_broken_interpreter_raises_host_lost_error(tmp_path):
    spec = renderer.HostSpec(
        environment="odd", interpreter=Path("/bin/false"), run_dir=tmp_path / "run", work_root=tmp_path
    )
    with pytest.raises(renderer.HostLostError):
        renderer.RenderHost(spec).status()


def test_stuck_host_is_killed_and_replaced(own_host, tmp_path, monkeypatch):
    import importlib
    import os
    import signal

    module = importlib.import_module("renderer.render")
    monkeypatch.setattr(module, "GRACE_S", 1)
    host = own_host()
    pid = host.status()["pid"]
    os.kill(pid, signal.SIGSTOP)
    directory = tmp_path / "stuck"
    directory.mkdir()
    order = make_job(code="print(1)", variables={}, timeout_s=1, patience_s=0)
    with pytest.raises(renderer.HostLostError, match="in time"):
        renderer.render(order, host=host, directory=directory, on_progress=lambda _: None, is_cancelled=lambda: False)
    assert render_with(host, tmp_path / "next").state == "succeeded"
    assert host.status()["pid"] != pid


def test_slow_host_does_not_delay_other_hosts(own_host, tmp_path):
    slow = tmp_path / "slow-python"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    spec = renderer.HostSpec(environment="slow", interpreter=slow, run_dir=tmp_path / "run", work_root=tmp_path)
    waiting = renderer.RenderHost(spec)
    waiting.stay()
    assert waiting.read_status() is None
    assert render_with(own_host(), tmp_path / "other").state == "succeeded"
    assert waiting.read_status() is None
    waiting.leave()


def test_host_preimports_toolkit_modules_with_available_libraries(own_host, tmp_path):
    toolkit = tmp_path / "brushes"
    toolkit.mkdir()
    prefork = (
        "import sys\nMODULES = ('flat', 'round')\ndef warm():\n sys.modules['brushes.round'].is_warm = True\n 1 / 0"
    )
    files = {"__init__": "", "round": "", "flat": "import no_such_library", "prefork": prefork}
    for name, text in files.items():
        (toolkit / f"{name}.py").write_text(text)
    code = "import sys\nassert sorted(each for each in sys.modules if 'brushes' in each) == variables['expected']"
    code += "\nassert sys.modules['brushes.round'].is_warm"
    order = make_job(code=code, variables={"expected": ["brushes", "brushes.prefork", "brushes.round"]})
    (tmp_path / "render").mkdir()
    with renderer.render(
        order,
        host=own_host(toolkits=(toolkit,)),
        directory=tmp_path / "render",
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
    ) as outcome:
        assert outcome.state == "succeeded", outcome.traceback
