"""The documented backup of PostgreSQL and an object store during writes, and its restore."""

import hashlib
import json

import psycopg
import pytest

from tests.backup.documented import commands, run
from tests.backup.writing import check_restored, writing
from tests.postgres import PASSWORD, PROGRAMS
from tests.stores.servers import s3_client, s3_process
from tests.upgrade.api_client import Door, sign_in
from tests.upgrade.installation import house
from tests.upgrade.versions import PRESENT
from tests.waiting import wait_until

pytestmark = [pytest.mark.installation, pytest.mark.kernel, pytest.mark.timeout(900)]
ROWS = """
SELECT made.id::text, made.state, owner.title, made.html
FROM visualizations_render made JOIN visualizations_visualization owner ON owner.id = made.visualization_id
"""


def rows(url):
    with psycopg.connect(url) as database:
        return database.execute(ROWS).fetchall()


def succeeded(url):
    return sum(state == "succeeded" for _, state, _, _ in rows(url))


@pytest.fixture
def store(tmp_path):
    """An S3 store with a bucket in use and one to restore into, and its options file."""
    with s3_process() as url:
        options = tmp_path / "results.json"
        options.write_text(
            json.dumps({"endpoint_url": url, "access_key": "k", "secret_key": "s", "region_name": "us-east-1"})
        )
        client = s3_client(url)
        for bucket in ("portal", "restored"):
            client.create_bucket(Bucket=bucket)
        yield client, options


@pytest.fixture
def apart(tmp_path, store):
    """A portal with workers on these services, without Kubeflow."""
    settings = {"VIZPORTAL_RESULTS_URL": "s3://portal/results", "VIZPORTAL_RESULTS_OPTIONS_FILE": str(store[1])}
    with house(tmp_path, KFP_HOST="http://127.0.0.1:9", **settings) as found:
        found.manage(PRESENT, "migrate", "-v0")
        for name in ("worker-1", "worker-2"):
            found.start_worker(PRESENT, name)
        yield found


def environment(apart, tmp_path, url):
    """The environment of the documented commands: the portal's settings, and DATABASE without the password."""
    password = tmp_path / "pgpass"
    password.write_text(f"*:*:*:*:{PASSWORD}\n")
    password.chmod(0o600)
    env = apart.settings(PRESENT, "operator")
    path = f"{PROGRAMS}:{env['PATH']}"
    return {**env, "PATH": path, "PGPASSFILE": str(password), "DATABASE": url.replace(f":{PASSWORD}@", "@")}


def test_portal_in_use_is_backed_up_and_restored_to_empty_services(apart, store, tmp_path):
    backup, restore = commands("PostgreSQL and an object store")
    url = apart.database.url
    env = environment(apart, tmp_path, url)
    with writing(tmp_path, env) as told:
        wait_until(lambda: succeeded(url) >= 10, 180, "the first pages")
        run(backup, tmp_path, env)
        after = succeeded(url)
        wait_until(lambda: succeeded(url) >= after + 5, 180, "pages after the backup")
    apart.ask_to_end("worker-1", "worker-2")
    assert apart.wait_ended("worker-1", "worker-2") == [0, 0]

    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CREATE DATABASE restored")
    restored = url.rpartition("/")[0] + "/restored"
    apart.env |= {"DATABASE_URL": restored, "VIZPORTAL_RESULTS_URL": "s3://restored/results"}
    said = run(restore, tmp_path, environment(apart, tmp_path, restored))
    assert "Both agree." in said
    kept = rows(restored)
    assert 10 <= len(kept) < len(rows(url))

    def digest(render_id):
        [name] = [name for key, *_, name in rows(restored) if key == render_id]
        return hashlib.sha256(store[0].get_object(Bucket="restored", Key=f"results/{name}")["Body"].read()).hexdigest()

    apart.manage(PRESENT, "collectstatic", "--noinput", "-v0")
    url = apart.start_web(PRESENT, "web")
    door = Door(url, {"Authorization": f"Bearer {told['token']}", **sign_in(url, "ada", "first light")})
    for name in ("worker-3", "worker-4"):
        apart.start_worker(PRESENT, name)
    apart.start_reconciler(PRESENT, "reconciler")
    check_restored(door, {key: (state, title) for key, state, title, _ in kept}, digest)
    assert len(rows(restored)) == len(kept), "nothing was doubled"
