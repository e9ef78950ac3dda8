"""Moves from SQLite and files to PostgreSQL and S3 and back, with real servers and the command."""

import json
import os
import sqlite3
import subprocess
import sys

import psycopg
import pytest

from tests.postgres import postgres_server
from tests.stores import servers
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

pytestmark = pytest.mark.slow

# A variety of rows: forward references, groups with permissions, files, odd text.
FILL = r"""
import datetime, json, uuid
from django.contrib.auth.models import Group, Permission, User
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from apps.runs.models import RunTag
from apps.visualizations.models import Render, Visualization
user = User.objects.create_superuser("ada", password="first light")
group = Group.objects.create(name="staff")
group.permissions.add(*Permission.objects.order_by("-id")[:3])
user.groups.add(group)
LogEntry.objects.create(user=user, content_type=ContentType.objects.get_for_model(Render), object_id="1", action_flag=1)
for number in range(250):
    page = ContentFile(b"<p>%d</p>" % number * 50)
    made = Visualization.objects.create(title=f"Ta\u0308ble \u2603 {number}", type_key="table", owner=user)
    name = f"renders/{made.id.hex[:2]}/{made.id}/1-result.html"
    name = default_storage.save(name, page) if number % 4 == 0 else ""
    render = Render.objects.create(visualization=made, number=1, state="succeeded", code="x", type_version="v",
        timeout_s=1.5, environment="base", html=name, arguments={"b": [1, 2.5, None, "\u00e4"], "a": {"z": 1}},
        log="line\n" * number)
    made.latest = render
    made.save()
default_storage.save("assets/" + "a" * 64 + ".js", ContentFile(b"asset"))
"""


class House:
    """An installation: its settings, and a method that runs `manage.py` with them."""

    def __init__(self, data_dir, **env):
        self.data_dir = data_dir
        self.env = {"VIZPORTAL_DATA_DIR": str(data_dir), "SECRET_KEY": "only-for-tests", **env}

    def start(self, *arguments, **env):
        """Starts a command and returns its process, whose output is one text."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            env={**_plain(), **self.env, **env},
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def manage(self, *arguments, code=0, stdin="", **env):
        call = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            call,
            env={**_plain(), **self.env, **env},
            cwd=BASE_DIR,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def facts(self):
        """Returns the state of every table as text, for comparison."""
        program = (
            "from vizportal.migrate_storage import tables\n"
            "print('FACTS', {m._meta.label: tables.table_state(m, 'default') for m in tables.tables()})"
        )
        return next(
            line for line in self.manage("shell", "-v0", stdin=program).splitlines() if line.startswith("FACTS")
        )


def _plain():
    return {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    with postgres_server() as database, servers.s3_process() as url:
        servers.s3_client(url).create_bucket(Bucket="portal")
        options = {"endpoint_url": url, "access_key": "k", "secret_key": "s", "region_name": "us-east-1"}
        yield {
            "database": database,
            "s3": servers.s3_client(url),
            "options": json.dumps(options),
            "root": tmp_path_factory.mktemp("moving"),
        }


@pytest.fixture(scope="module")
def small(places):
    """An installation with SQLite and files."""
    house = House(places["root"] / "small")
    house.data_dir.mkdir()
    house.manage("migrate", "-v0")
    house.manage("shell", "-v0", stdin=FILL)
    return house


@pytest.fixture(scope="module")
def large(places):
    """An installation with PostgreSQL and S3."""
    return House(
        places["root"] / "large",
        DATABASE_URL=places["database"].url,
        VIZPORTAL_RESULTS_URL="s3://portal/results",
        VIZPORTAL_RESULTS_OPTIONS=places["options"],
    )


def _to(house, **more):
    names = {"DATABASE_URL": "DATABASE_URL", "VIZPORTAL_RESULTS_URL": "RESULTS_URL"}
    found = {f"VIZPORTAL_MOVE_{names[name]}": house.env[name] for name in names}
    return {**found, "VIZPORTAL_MOVE_RESULTS_OPTIONS": house.env["VIZPORTAL_RESULTS_OPTIONS"], **more}


def test_killed_move_is_continued_and_moving_back_restores_everything(places, small, large):
    before = small.facts()
    _kill_when_some_files_are_there(places, small, large)

    said = small.manage("move", **_to(large))
    assert "Both agree." in said
    copied, there = (int(said.split("files: ")[1].split(mark)[0].split()[-1]) for mark in (" copied", " there already"))
    assert there > 0, "what the killed one had copied is not copied again"
    assert copied + there == 64
    assert large.facts() == before

    # Then back to an empty directory.
    back = House(places["root"] / "back")
    back.data_dir.mkdir()
    said = large.manage(
        "move",
        VIZPORTAL_MOVE_DATABASE_URL=f"sqlite:///{back.data_dir}/db.sqlite3",
        VIZPORTAL_MOVE_RESULTS_URL=f"file://{back.data_dir}/results",
    )
    assert "Both agree." in said
    assert back.facts() == before
    assert _tree(back.data_dir / "results") == _tree(small.data_dir / "results")


def _kill_when_some_files_are_there(places, small, large):
    process = small.start("move", **_to(large))
    wait_until(lambda: places["s3"].list_objects_v2(Bucket="portal").get("KeyCount", 0) > 5, 60, "some files")
    process.kill()
    process.communicate()
    assert places["s3"].list_objects_v2(Bucket="portal")["KeyCount"] < 64


def _waits_for_a_lock(database):
    with psycopg.connect(database.url) as rows:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return rows.execute(waiting).fetchone()[0]


def _tree(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_ids_of_new_rows_follow_the_moved_ones(small, large):
    said = small.manage("move", **_to(large))
    assert "rows: 0 copied" in said, "nothing is left to do"
    assert "files: 0 copied" in said
    program = "from django.contrib.auth.models import User; print('ID', User.objects.create_user('bob').pk)"
    assert "ID 2" in large.manage("shell", "-v0", stdin=program)
    # The first installation does not have this user, so the next move refuses to delete it.
    said = small.manage("move", code=1, **_to(large))
    assert "auth_user has rows that this installation does not have, such as 2" in said
    assert "1 deleted in the target" in small.manage("move", "--replace", **_to(large))


def test_changed_file_and_changed_row_are_found_and_repaired(places, small, large):
    key = places["s3"].list_objects_v2(Bucket="portal", Prefix="results/renders/")["Contents"][3]
    places["s3"].put_object(Bucket="portal", Key=key["Key"], Body=b"!" * key["Size"])
    said = small.manage("move", "--verify-only", code=1, **_to(large))
    assert key["Key"].removeprefix("results/") in said
    places["s3"].delete_object(Bucket="portal", Key=key["Key"])
    with psycopg.connect(places["database"].url) as database:
        database.execute("UPDATE visualizations_visualization SET title = 'other' WHERE title LIKE '% 7'")
    assert "visualizations_visualization (250 rows here, 250 there)" in small.manage(
        "move",
        "--verify-only",
        code=1,
        **_to(large, VIZPORTAL_MOVE_RESULTS_URL="", VIZPORTAL_MOVE_RESULTS_OPTIONS="{}"),
    )
    said = small.manage("move", **_to(large))
    assert "rows: 1 copied" in said
    assert "files: 1 copied" in said


def test_move_is_refused_during_renders_unless_live(small, large):
    database = small.data_dir / "db.sqlite3"
    with sqlite3.connect(database) as rows:
        rows.execute(
            "UPDATE visualizations_render SET state='running' WHERE id=(SELECT MIN(id) FROM visualizations_render)"
        )
    try:
        assert "1 renders run" in small.manage("move", code=1, **_to(large))
        assert "call this again" in small.manage("move", "--live", **_to(large))
    finally:
        with sqlite3.connect(database) as rows:
            rows.execute("UPDATE visualizations_render SET state='succeeded'")


def test_move_that_loses_its_target_database_can_be_repeated(places, small, large):
    database = places["database"]
    with psycopg.connect(database.url) as rows:
        rows.execute("UPDATE visualizations_visualization SET title = 'other' WHERE title LIKE '% 7'")
    # The move reads the table, and waits for the lock when it writes the row.
    holder = psycopg.connect(database.url)
    holder.execute("LOCK TABLE visualizations_visualization IN SHARE MODE")
    process = small.start("move", **_to(large))
    wait_until(lambda: _waits_for_a_lock(database), 60, "the move to write")
    database.stop()
    holder.close()
    said, _ = process.communicate(timeout=60)
    try:
        assert process.returncode == 1, said
        assert "OperationalError" in said
        assert "only-for-tests" not in said
    finally:
        database.start()
    assert "Both agree." in small.manage("move", **_to(large))
    assert small.facts() == large.facts()
