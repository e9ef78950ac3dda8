"""Old and new web processes and workers share a database and a queue. No render is lost or done twice."""

import hashlib
import re

import pytest

from tests.upgrade.api_client import CONTENT, sign_in
from tests.upgrade.installation import house, kubeflow
from tests.upgrade.versions import PRESENT
from tests.waiting import wait_until

pytestmark = [pytest.mark.installation, pytest.mark.kernel, pytest.mark.timeout(900)]
PERSON = """
import io
from django.contrib.auth.models import User
from django.core.management import call_command
User.objects.create_superuser("ada", password="first light")
made = io.StringIO()
call_command("token", "create", "script", user="ada", stdout=made)
print("TOKEN", made.getvalue().strip())
"""
# This takes longer than the migration.
SLOW_S = 20


@pytest.fixture
def rolling(previous, tmp_path):
    """Starts the previous version with a web process, two workers and a reconciler."""
    with kubeflow(tmp_path) as endpoints, house(tmp_path, VIZPORTAL_ENDPOINTS=endpoints) as found:
        found.manage(previous, "migrate", "-v0")
        for version in (previous, PRESENT):
            found.manage(version, "collectstatic", "--noinput", "-v0")
        # Start one after the other: two workers of the previous version that publish library scripts at once may fail.
        for name in ("old-worker-1", "old-worker-2"):
            found.start_worker(previous, name)
            wait_until(lambda name=name: "Listening on" in found.log(name).read_text(), 180, f"the start of {name}")
        found.start_reconciler(previous, "old-reconciler")
        yield found


def test_no_render_is_lost_or_doubled_during_a_rolling_upgrade(rolling, previous):
    house = rolling
    token = house.manage(previous, "shell", "-v0", stdin=PERSON).partition("TOKEN ")[2].strip()
    url = house.start_web(previous, "old-web")
    session = sign_in(url, "ada", "first light")
    old = house.door(url, token, session)
    step = old.find_step()
    done = [old.custom(step, "done"), old.table(step, "done")]
    old.await_ended(done)

    # Migrate while the old program runs: running and waiting renders continue, and more are requested.
    at_work = [old.custom(step, f"at work {number}", SLOW_S) for number in range(2)]
    old.await_running(at_work)
    waiting = [old.custom(step, "waits"), old.table(step, "waits")]
    house.manage(PRESENT, "migrate", "-v0")
    assert old.states(at_work + waiting) == ["running"] * 2 + ["queued"] * 2
    later = [old.custom(step, "after migrating"), old.table(step, "after migrating")]
    expect_good(old, at_work + waiting + later)

    # Replace workers first. The old ones must end during a render, and the new ones take the waiting renders.
    drained = [old.custom(step, f"drained {number}", SLOW_S) for number in range(2)]
    old.await_running(drained)
    to_new = [old.custom(step, "old web, new worker"), old.table(step, "old web, new worker")]
    house.ask_to_end("old-worker-1", "old-worker-2")
    for name in ("new-worker-1", "new-worker-2"):
        house.start_worker(PRESENT, name)
    expect_good(old, to_new)
    assert house.wait_ended("old-worker-1", "old-worker-2") == [0, 0]
    expect_good(old, drained)

    # Then start a new web process and reconciler. Old and new web process show each other's renders.
    new = house.door(house.start_web(PRESENT, "new-web"), token, session)
    house.start_reconciler(PRESENT, "new-reconciler")
    for web in (new, old, new):
        assert "ada" in web.ask("/visualizations/"), "signed in at the old one"
    by_new = [new.custom(step, "new web, new worker"), new.table(step, "new web, new worker")]
    by_old = [old.custom(step, "old web again"), old.table(step, "old web again")]
    expect_good(old, by_new)
    expect_good(new, by_old)

    house.ask_to_end("old-reconciler", "old-web")
    house.wait_ended("old-reconciler", "old-web")
    by_old_workers, by_new_workers = done + at_work + waiting + later + drained, to_new + by_new + by_old
    expect_good(new, by_old_workers + by_new_workers)
    _check_rows(house, by_old_workers + by_new_workers)
    _check_who_worked(house, old=by_old_workers, new=by_new_workers)


def expect_good(door, renders):
    """Waits for the end of the renders and checks that each page has its mark."""
    for render in door.await_ended(renders):
        assert render["state"] == "succeeded", render
        made = door.read(f"/api/v1/visualizations/{render['visualization_id']}")
        expected = CONTENT if made["type"] == "table" else made["title"]
        assert expected in door.page(render["id"])


def _check_rows(house, renders):
    rows = house.rows()
    assert rows.keys() == set(renders)
    # The previous version's reconciler may count a job as lost just before a worker claims it, and queue it again.
    assert {row[:3] for row in rows.values()} <= {("succeeded", 1, 0), ("succeeded", 2, 1)}
    named = set()
    for _, _, _, html, digest, notebook in rows.values():
        named |= {html, notebook}
        assert hashlib.sha256((house.root / "results" / html).read_bytes()).hexdigest() == digest
    kept = {
        str(path.relative_to(house.root / "results"))
        for path in house.root.glob("results/renders/**/*")
        if path.is_file()
    }
    assert kept == named, "a render that was done twice leaves a file that no row names"


def _check_who_worked(house, *, old, new):
    """Checks that the intended worker started each render once, and that draining workers took no more."""
    expected = {each: who for who, renders in (("old", old), ("new", new)) for each in renders}
    began = [
        (render, path.name.partition("-")[0])
        for path in house.root.glob("*-worker-*.log")
        for render in re.findall(r"render-base: render ([0-9a-f-]{36}), attempt 1 \(", path.read_text())
    ]
    assert sorted(began) == sorted(expected.items())
