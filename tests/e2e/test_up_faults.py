"""`manage.py up` when its services are killed, when it is killed itself, and when it cannot start."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.portals import is_ready, running_portal, sampled_data
from tests.servers import free_port
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

pytestmark = [pytest.mark.slow, pytest.mark.kernel]

# A text that only this service's command line contains.
SERVICES = {
    "queue": "valkey.sock",
    "localkfp": "-m localkfp",
    "web": "vizportal.asgi",
    "worker": "rqworker",
    "reconciler": "reconcile",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A separate portal, whose processes these tests kill."""
    with running_portal(sampled_data(tmp_path_factory, "faults"), ALLOW_CUSTOM_VISUALIZATIONS="true") as found:
        yield found


@pytest.fixture(scope="module")
def step(house):
    """Returns the ids of a run and of one of its steps."""

    def first_step():
        # Another test has just killed Kubeflow: until it answers again, the portal returns 503.
        with contextlib.suppress(urllib.error.HTTPError):
            for run in house.get("/api/v1/runs")["items"]:
                for found in house.get(f"/api/v1/runs/{run['id']}")["steps"]:
                    return run["id"], found["id"]
        return None

    return wait_until(first_step, 120, "a step of a sample run")


def processes():
    """Yields pid, parent's pid and command line of each live process."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            yield int(entry.name), int(parent), line


def children(portal, name):
    return {pid for pid, parent, line in processes() if parent == portal.process.pid and SERVICES[name] in line}


def mentioning(text):
    return [line for _, _, line in processes() if str(text) in line]


def ask(portal, step, code):
    body = {"run_id": step[0], "step_id": step[1], "type": "custom", "code": code, "force": True}
    request = urllib.request.Request(
        f"{portal.url}/api/v1/visualizations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)["render"]["id"]


def state(portal, render_id):
    return portal.get(f"/api/v1/renders/{render_id}")["state"]


def up(data_dir, port):
    """Runs a second `up`, which is expected to refuse."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    environ |= {"VIZPORTAL_DATA_DIR": str(data_dir), "VIZPORTAL_BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, str(BASE_DIR / "manage.py"), "up"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", SERVICES)
def test_killed_service_is_restarted(house, name):
    before = children(house, name)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(children(house, name) - {victim}) == len(before), 40, f"another {name}")
    wait_until(lambda: is_ready(house), 60, "the portal to be whole again")
    said = house.output.read_text()
    assert re.search(rf"^{name}(-\d)? ended \(signal 9\); starting it again\.", said, re.MULTILINE)


def test_queued_renders_survive_the_queue_server(house, step):
    renders = [ask(house, step, f"import time; time.sleep(2); print('render {number}')") for number in range(4)]
    wait_until(lambda: "running" in {state(house, each) for each in renders}, 40, "the first render to start")
    os.kill(min(children(house, "queue")), signal.SIGKILL)
    wait_until(lambda: {state(house, each) for each in renders} == {"succeeded"}, 90, "all renders")


def test_killed_workers_leave_no_processes_and_next_render_succeeds(house, step):
    code = "import subprocess, time\nsubprocess.Popen(['sleep', '86399'], start_new_session=True)\ntime.sleep(60)"
    ask(house, step, code)
    wait_until(lambda: mentioning("sleep 86399"), 40, "the render's own process")
    for worker in children(house, "worker"):
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not mentioning("sleep 86399"), 20, "the render's processes to end")
    following = ask(house, step, "print('next')")
    wait_until(lambda: state(house, following) == "succeeded", 60, "the next render")


def test_second_up_on_the_same_data_is_refused(house):
    refused = up(house.data_dir, free_port())
    assert refused.returncode == 1
    assert f"already runs on {house.data_dir} (process {house.process.pid})" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_port_in_use_is_refused(house, tmp_path):
    refused = up(tmp_path / "data", int(house.url.rpartition(":")[2]))
    assert refused.returncode == 1
    assert "Address already in use" in refused.stderr
    assert "VIZPORTAL_BIND" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_killed_up_leaves_no_processes_and_restarts_with_its_data(house, step):
    saved = ask(house, step, "print('kept')")
    wait_until(lambda: state(house, saved) == "succeeded", 60, "the render to keep")
    house.process.kill()
    house.process.wait()
    wait_until(lambda: not mentioning(house.data_dir), 40, f"the end of {mentioning(house.data_dir)}")
    # A power failure leaves a socket file without a listener.
    stale = house.data_dir / "valkey" / "valkey.sock"
    stale.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    with running_portal(house.data_dir) as again:
        assert state(again, saved) == "succeeded"
        assert step[0] in {run["id"] for run in again.get("/api/v1/runs")["items"]}
        assert again.stop() == 0
    assert "Traceback" not in again.output.read_text()
    assert not mentioning(house.data_dir)
