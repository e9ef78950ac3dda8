"""Connect to real database and queue servers over TLS, as docs/security.md says, with right and wrong authorities."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.tls import PASSWORD, Authority, tls_database, tls_queue

pytestmark = pytest.mark.slow
# Send a probe's request, then open the event stream.
ASK = """
import asyncio, json, django
django.setup()
import redis.asyncio
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client
answer = Client(headers={"host": "localhost"}).get("/readyz")
found = {"status": answer.status_code, **{name: answer.json()[name] for name in ("database", "queue")}}
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        found["tls"] = cursor.fetchone()[0]
except DatabaseError:
    found["tls"] = None
async def stream():
    async with redis.asyncio.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
        await subscription.subscribe("x")
        return (await subscription.get_message(timeout=5))["type"]
if found["queue"]["ok"]:
    found["stream"] = asyncio.run(stream())
print(json.dumps(found))
"""
_CLASSES = (
    "--worker-class",
    "apps.visualizations.jobs.RenderWorker",
    "--job-class",
    "apps.visualizations.jobs.RenderJob",
)
WORKER = ("rqworker", "render-base", "--burst", *_CLASSES, "--serializer", "rq.serializers.JSONSerializer")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """Creates an authority that did not sign the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def ports(ours):
    with tls_database(ours) as database, tls_queue(ours) as queue:
        yield database, queue


@pytest.fixture
def run(tmp_path):
    """Runs Python with the secrets in files, as in a deployment, and returns its output."""

    def start(command, database_url, redis_url):
        (tmp_path / "database").write_text(database_url)
        (tmp_path / "queue").write_text(redis_url)
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("VIZPORTAL_")},
            "DJANGO_SETTINGS_MODULE": "vizportal.settings",
            "VIZPORTAL_DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL_FILE": str(tmp_path / "database"),
            "REDIS_URL_FILE": str(tmp_path / "queue"),
            "VIZPORTAL_AUTH": "password",
            "KFP_HOST": "http://127.0.0.1:9",
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert PASSWORD not in done.stdout + done.stderr
        return done

    return start


def look(run, *urls):
    """Returns the result of ASK, and the log."""
    done = run(["-c", ASK], *urls)
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def database_url(port, authority, host="localhost", mode="verify-full"):
    return f"postgres://portal:{PASSWORD}@{host}:{port}/portal?sslmode={mode}&sslrootcert={authority.path}"


def redis_url(port, authority, host="localhost"):
    return f"rediss://:{PASSWORD}@{host}:{port}/0?ssl_ca_certs={authority.path}"


def test_right_authority_works(run, ports, ours):
    urls = database_url(ports[0], ours), redis_url(ports[1], ours)
    found, _ = look(run, *urls)
    assert found["status"] == 200
    assert (found["database"]["ok"], found["queue"]["ok"]) == (True, True)
    assert found["tls"] == "TLSv1.3"
    assert found["stream"] == "subscribe"
    migrated = run(["manage.py", "migrate", "--noinput"], *urls)
    assert migrated.returncode == 0, migrated.stderr
    worked = run(["manage.py", *WORKER], *urls)
    assert worked.returncode == 0, worked.stderr
    assert "Listening on render-base" in worked.stderr


def test_wrong_authority_is_refused_and_logged(run, ports, theirs):
    found, log = look(run, database_url(ports[0], theirs), redis_url(ports[1], theirs))
    assert found["status"] == 503
    assert found["database"] == {"ok": False}
    assert found["queue"]["ok"] is False
    assert found["tls"] is None
    said = [line for line in log.splitlines() if "readyz" in line]
    assert [line for line in said if "database" in line], log
    assert [line for line in log.splitlines() if "psycopg" in line and "certificate verify failed" in line], log
    assert [line for line in said if "queue" in line and "CERTIFICATE_VERIFY_FAILED" in line], log


def test_certificate_for_another_host_name_is_refused(run, ours):
    with tls_database(ours, "other.example") as database, tls_queue(ours, "other.example") as queue:
        found, log = look(run, database_url(database, ours), redis_url(queue, ours))
    assert (found["database"]["ok"], found["queue"]["ok"]) == (False, False)
    assert "does not match host name" in log
    assert "Hostname mismatch" in log


def test_servers_refuse_connections_without_tls(run, ports, ours):
    plain = f"redis://:{PASSWORD}@localhost:{ports[1]}/0"
    found, _ = look(run, database_url(ports[0], ours, mode="disable"), plain)
    assert (found["database"]["ok"], found["queue"]["ok"]) == (False, False)
