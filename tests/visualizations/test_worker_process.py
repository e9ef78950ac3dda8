"""Real worker processes: started as `up` starts them, killed, stopped, and the queue emptied under them."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import uuid
from datetime import timedelta

import pytest
from django.conf import settings as live_settings
from django.utils import timezone

pytestmark = [pytest.mark.slow, pytest.mark.kernel]
COMMAND = [sys.executable, "manage.py", "rqworker", "render-base"]


class House:
    """A data directory with its own database, a worker when asked for, and a shell to look inside."""

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
        self.manage("migrate", "-v0")

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
        """Asks for CUSTOM without a run; returns the render's id."""
        return self.shell(f"""
            from django.contrib.auth import get_user_model
            from apps.visualizations.services.orders import VisualizationRequest
            from apps.visualizations.services.submission import visualization_create
            user, _ = get_user_model().objects.get_or_create(username="ada")
            request = VisualizationRequest(type_key="custom", code={code!r}, force=True)
            print(visualization_create(user, request, None).render.id)
        """)

    def state(self, render_id):
        """Reads the row from outside: starting Django for each look would take seconds."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as database:
            question = "SELECT state, attempt, reason FROM visualizations_render WHERE id = ?"
            return database.execute(question, [uuid.UUID(render_id).hex]).fetchone()

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


@pytest.fixture
def house(tmp_path, valkey_url):
    found = House(tmp_path / "data", valkey_url)
    yield found
    for process in found.workers:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def test_a_killed_workers_render_is_lost_with_words_and_the_next_one_is_rendered(house):
    endless = house.submit("import time\nwhile True:\n    time.sleep(0.1)")
    worker = house.worker()
    house.wait_for(endless, {"running"})
    worker.kill()
    worker.wait(10)
    # The lease is moved to its end in the place of waiting half a minute for it.
    past = (timezone.now() - timedelta(minutes=1)).isoformat()
    house.shell(f"""
        from apps.visualizations.models import Render
        Render.objects.filter(id={endless!r}).update(lease_until={past!r})
    """)
    assert "lost 1" in house.manage("reconcile")
    assert house.state(endless) == ("lost", 1, "worker_lost")
    following = house.submit("print('hello')")
    house.worker()
    assert house.wait_for(following, {"succeeded", "failed"})[0] == "succeeded"


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has(house):
    render = house.submit("import time\ntime.sleep(4)\nprint('done')")
    worker = house.worker()
    house.wait_for(render, {"running"})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    assert house.state(render)[0] == "succeeded"
