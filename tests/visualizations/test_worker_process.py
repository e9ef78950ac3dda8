"""Real worker processes, started as `up` starts them: killed, stopped, and with the queue emptied meanwhile."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as live_settings
from django.utils import timezone
from renderer import hosts_end

from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kernel]
COMMAND = [sys.executable, "manage.py", "rqworker", "render-base"]


class House:
    """A data directory with its own database, workers on request, and a Django shell."""

    def __init__(self, data_dir, redis_url):
        self.environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vizportal.settings",
            "VIZPORTAL_DATA_DIR": str(data_dir),
            "REDIS_URL": redis_url,
            "ALLOW_CUSTOM_VISUALIZATIONS": "true",
        }
        self.workers = []
        data_dir.mkdir()
        self.database = data_dir / "db.sqlite3"

    def manage(self, *args, **more):
        return subprocess.run(
            [sys.executable, "manage.py", *args],
            env=self.environ,
            cwd=live_settings.BASE_DIR,
            check=True,
            capture_output=True,
            text=True,
            **more,
        ).stdout

    def shell(self, code):
        return self.manage("shell", "--no-imports", "-c", textwrap.dedent(code)).strip()

    def submit(self, code):
        """Requests a CUSTOM render without a run and returns its id."""
        return self.shell(f"""
            from django.contrib.auth import get_user_model
            from apps.accounts.caller import Caller, CallerKind
            from apps.visualizations.services.requests import VisualizationRequest
            from apps.visualizations.services.submission import visualization_create
            user, _ = get_user_model().objects.get_or_create(username="ada")
            request = VisualizationRequest(type_key="custom", code={code!r}, force=True)
            print(visualization_create(Caller(kind=CallerKind.PAGE, user=user), request, None).render.id)
        """)

    def state(self, render_id):
        """Reads the row directly from SQLite: starting Django each time would take seconds."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as database:
            question = "SELECT state, attempt, reason FROM visualizations_render WHERE id = ?"
            return database.execute(question, [uuid.UUID(render_id).hex]).fetchone()

    def live_log(self, render_id):
        """Returns what a running render has printed so far."""
        log = redis.Redis.from_url(self.environ["REDIS_URL"]).hget(f"vizportal:live:{render_id}", "log")
        return log.decode() if log else None

    def wait_for(self, render_id, states, seconds=40):
        deadline = time.monotonic() + seconds
        while (found := self.state(render_id))[0] not in states:
            assert time.monotonic() < deadline, f"still {found}, waited for {states}"
            time.sleep(0.1)
        return found

    def worker(self):
        process = subprocess.Popen(
            COMMAND,
            env=self.environ,
            cwd=live_settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.workers.append(process)
        return process


@pytest.fixture(scope="module")
def migrated(tmp_path_factory, valkey_url):
    """A migrated database that tests copy."""
    first = House(tmp_path_factory.mktemp("migrated") / "data", valkey_url)
    first.manage("migrate", "-v0")
    return first.database


@pytest.fixture
def house(tmp_path, valkey_url, migrated):
    found = House(tmp_path / "data", valkey_url)
    shutil.copy(migrated, found.database)
    yield found
    for process in found.workers:
        if process.poll() is None:
            process.kill()
        process.wait(10)
    for run_dir in (tmp_path / "data" / "run").glob("*"):
        hosts_end(run_dir)


ENDLESS = "import time\nwhile True:\n    print('still here', flush=True)\n    time.sleep(0.1)"


def supervisors_of(house):
    """Returns the pids of the render hosts' supervisors, from their pid files."""
    return [int(path.read_text()) for path in (house.database.parent / "run").rglob("*.pid")]


def host_of(house):
    """Returns the pid of the render host, from its status file."""
    [status] = [json.loads(path.read_text()) for path in (house.database.parent / "run").rglob("*.status.json")]
    return status["pid"]


def names_below(root):
    """Returns the command names of live descendants of a process."""
    found, parents = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (entry / "stat").read_text().partition(" (")[2].rpartition(") ")
            if rest.split()[0] not in "ZX":
                found[int(entry.name)], parents[int(entry.name)] = name, int(rest.split()[1])
    below = {root}
    for pid in sorted(found):
        if parents[pid] in below:
            below.add(pid)
    return [found[pid] for pid in below - {root} if pid in found]


def past(house, render_id):
    """Ends a lease at once, instead of waiting half a minute."""
    moment = (timezone.now() - timedelta(minutes=1)).isoformat()
    house.shell(f"""
        from apps.visualizations.events import connection_get
        from apps.visualizations.models import Render
        Render.objects.filter(id={render_id!r}).update(lease_until={moment!r})
        for key in connection_get().keys("vizportal:holder:*"):
            connection_get().delete(key)
    """)


def test_killed_host_ends_its_render_and_the_next_one_succeeds(house):
    endless = house.submit(ENDLESS)
    house.worker()
    house.wait_for(endless, {"running"})
    wait_until(lambda: (house.live_log(endless) or "").count("still here"), 30, "the code's first line")
    os.kill(host_of(house), signal.SIGKILL)
    # No reconciler runs here, so the worker noticed it.
    assert house.wait_for(endless, {"lost", "failed"})[0::2] == ("lost", "worker_lost")
    following = house.submit("print('hello')")
    assert house.wait_for(following, {"succeeded", "failed"})[0] == "succeeded"


def test_killed_worker_and_host_leave_no_process_and_lost_render(house):
    endless = house.submit(f"import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True)\n{ENDLESS}")
    worker = house.worker()
    house.wait_for(endless, {"running"})
    wait_until(lambda: (house.live_log(endless) or "").count("still here"), 30, "the code's first line")
    [supervisor] = supervisors_of(house)
    assert "sleep" in names_below(supervisor)
    host = host_of(house)
    worker.kill()
    os.kill(host, signal.SIGKILL)
    wait_until(lambda: "sleep" not in names_below(supervisor), 20, "the end of what the code started")
    past(house, endless)
    assert "lost 1" in house.manage("reconcile")
    assert house.state(endless) == ("lost", 1, "worker_lost")


def test_worker_stopped_twice_gives_up_its_render_at_once(house):
    endless = house.submit(ENDLESS)
    worker = house.worker()
    house.wait_for(endless, {"running"})
    wait_until(lambda: (house.live_log(endless) or "").count("still here"), 30, "the code's first line")
    [supervisor] = supervisors_of(house)
    worker.send_signal(signal.SIGTERM)
    time.sleep(1.1)  # rq counts two signals within a second as one
    worker.send_signal(signal.SIGTERM)
    worker.wait(10)
    assert "lost 1" in house.manage("reconcile")
    assert house.state(endless)[0] == "lost"
    wait_until(lambda: not [name for name in names_below(supervisor) if name == "sh"], 20, "the render's processes")


def test_running_render_is_cancelled_at_once(house):
    endless = house.submit(ENDLESS)
    house.worker()
    house.wait_for(endless, {"running"})
    wait_until(lambda: (house.live_log(endless) or "").count("still here"), 30, "the code's first line")
    with contextlib.closing(sqlite3.connect(house.database, timeout=20)) as database:
        asked = "UPDATE visualizations_render SET cancel_requested_at = ? WHERE id = ?"
        database.execute(asked, [timezone.now().isoformat(" "), uuid.UUID(endless).hex])
        database.commit()
    started = time.monotonic()
    assert house.wait_for(endless, {"cancelled"})[2] == "cancelled"
    # Measured 0.4 to 0.8 s; the machine may be busy.
    assert time.monotonic() - started < 20


def test_emptied_queue_loses_no_render(house, valkey_url):
    waiting = [house.submit(f"print({number})") for number in range(3)]
    redis.Redis.from_url(valkey_url).flushall()
    house.shell("""
        from datetime import timedelta
        from django.utils import timezone
        from apps.visualizations.models import Render
        Render.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    """)
    assert "enqueued 3" in house.manage("reconcile")
    house.worker()
    for render in waiting:
        assert house.wait_for(render, {"succeeded", "failed", "lost"})[0] == "succeeded"


def test_render_of_killed_worker_is_lost_and_next_one_succeeds(house):
    endless = house.submit("import time\nwhile True:\n    time.sleep(0.1)")
    worker = house.worker()
    house.wait_for(endless, {"running"})
    worker.kill()
    worker.wait(10)
    past(house, endless)
    assert "lost 1" in house.manage("reconcile")
    assert house.state(endless) == ("lost", 1, "worker_lost")
    following = house.submit("print('hello')")
    house.worker()
    assert house.wait_for(following, {"succeeded", "failed"})[0] == "succeeded"


def test_stopped_worker_finishes_its_current_render(house):
    render = house.submit("import time\ntime.sleep(4)\nprint('done')")
    worker = house.worker()
    house.wait_for(render, {"running"})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    assert house.state(render)[0] == "succeeded"
